//! The facts about a file as text.

use std::{fmt::Write as _, path::Path};

use crate::{
    cli::{
        commands::inspect::{Class, Facts, StanzaFacts, attribution::Answer},
        files::naming::display_name,
        keys::recipients::Origin,
        terminal::escape::escaped,
    },
    crypto::stanza_type::SCRYPT,
};

/// Characters of a public key that are shown: all of a classic one. A post-quantum key would fill a screen.
const KEY_SHOWN: usize = 62;

impl Facts<'_> {
    pub(crate) fn to_text(&self, path: &Path) -> String {
        let mut text = format!("{}: {}\n", display_name(path), self.version);
        let mut line = |label: &str, value: &str| {
            let _ = writeln!(text, "  {label:<14}{value}");
        };
        line("armor", if self.armor { "yes" } else { "no" });
        line("post-quantum", self.postquantum.word());
        line("stanzas", &self.count());
        for (index, stanza) in self.stanzas.iter().enumerate() {
            let number = index + 1;
            let words: Vec<_> = std::iter::once(&stanza.kind).chain(&stanza.arguments).map(String::as_str).collect();
            line(&format!("  {number}"), &words.join(" "));
            let note = match &self.yours {
                Some(yours) if yours.binary_search(&number).is_ok() => Some(stanza.yours_note()),
                _ => stanza.owner_note(),
            };
            for note in stanza.work_note().into_iter().chain(note).chain(stanza.class.note()) {
                line("", &format!("  {note}"));
            }
        }
        for absent in &self.absent {
            line("absent", &format!("{}: no stanza is for it", key(&absent.recipient, absent.named)));
        }
        if let Some(yours) = &self.yours {
            line("yours", &self.yours(yours));
        }
        if self.has_keys() {
            line(
                "header MAC",
                if self.header_authenticated {
                    "authentic; the payload was not decrypted"
                } else {
                    "not checked; that takes an identity that opens a stanza"
                },
            );
        }
        if let Some(sizes) = self.sizes {
            line("header", &format!("{:>15} bytes", sizes.header));
            line("armor", &format!("{:>15} bytes", sizes.armor));
            line("overhead", &format!("{:>15} bytes", sizes.overhead));
            line("payload", &format!("{:>15} bytes", sizes.payload));
            line("total", &format!("{:>15} bytes", sizes.header + sizes.armor + sizes.overhead + sizes.payload));
        }
        text
    }

    /// Who can open the file, in one line: the public keys that are known, or else the types of the stanzas.
    pub(crate) fn to_line(&self, path: &Path) -> String {
        let owner = |stanza: &StanzaFacts<'_>| match (&stanza.owner.recipient, stanza.owner.named) {
            (Some(recipient), Some(named)) => key(recipient, named),
            (Some(recipient), None) => shown(recipient),
            (None, _) => stanza.kind.clone(),
        };
        let owners: Vec<_> = self.stanzas.iter().map(owner).collect();
        let yours = self.yours.as_ref().map(|yours| format!("; {}", self.yours(yours))).unwrap_or_default();
        format!("{}: {}{yours}\n", escaped(path), owners.join(", "))
    }

    /// The number of stanzas, and how many of them are of unknown type.
    fn count(&self) -> String {
        let all = self.stanzas.len();
        let of = |class| self.stanzas.iter().filter(|stanza| stanza.class == class).count();
        match (of(Class::Unknown), of(Class::Grease)) {
            (0, 0) => all.to_string(),
            (unknown, 0) => format!("{all}, of which {unknown} of unknown type"),
            (0, grease) => format!("{all}, of which {grease} grease"),
            (unknown, grease) => format!("{all}, of which {unknown} of unknown type, {grease} grease"),
        }
    }

    fn yours(&self, yours: &[usize]) -> String {
        let count = self.stanzas.len();
        let numbers: Vec<_> = yours.iter().map(ToString::to_string).collect();
        match numbers.as_slice() {
            [] => format!("none of {count}"),
            [number] => format!("stanza {number} of {count} is yours"),
            [rest @ .., last] => format!("stanzas {} and {last} of {count} are yours", rest.join(", ")),
        }
    }

    fn has_keys(&self) -> bool {
        self.yours.is_some() || self.stanzas.iter().any(|stanza| stanza.owner.answer.is_some())
    }
}

impl StanzaFacts<'_> {
    /// The note for the last argument of a passphrase's stanza.
    fn work_note(&self) -> Option<String> {
        // Arguments that break the rules are shown as they are.
        let [_, work_factor] = self.arguments.as_slice() else { return None };
        let work_factor: u8 = work_factor.parse().ok().filter(|_| self.kind == SCRYPT)?;
        Some(format!("work factor {work_factor}: each guess at the passphrase takes 2^{work_factor} steps of scrypt"))
    }

    /// The note for a stanza that an identity opens.
    fn yours_note(&self) -> String {
        match (&self.owner.recipient, self.owner.named) {
            (Some(recipient), Some(named)) => format!("yours: {}", key(recipient, named)),
            (Some(recipient), None) => format!("yours: {}", shown(recipient)),
            (None, _) => "yours".to_owned(),
        }
    }

    /// The note for any other stanza, based on the stanza alone.
    fn owner_note(&self) -> Option<String> {
        Some(match (&self.owner.recipient, self.owner.named, self.owner.answer?) {
            (Some(recipient), Some(named), _) => format!("says it is for {}", key(recipient, named)),
            (_, _, Answer::Untold) => "does not identify its recipient, by design".to_owned(),
            _ => "for none of the named keys".to_owned(),
        })
    }
}

impl Class {
    fn note(self) -> Option<String> {
        let note = match self {
            Self::Known => return None,
            Self::Unknown => "of unknown type, perhaps a plugin's; its recipient is unknown",
            Self::Grease => "named like grease, a decoy that nobody can open; this cannot be checked",
        };
        Some(note.to_owned())
    }
}

/// A public key, and how the command line names it.
fn key(recipient: &str, named: &Origin) -> String {
    format!("{} ({named})", shown(recipient))
}

fn shown(recipient: &str) -> String {
    match recipient.char_indices().nth(KEY_SHOWN) {
        Some((end, _)) => format!("{}…", &recipient[..end]),
        None => recipient.to_owned(),
    }
}
