//! How `rekey` changes the recipients of a file.

use std::collections::HashSet;

use anyhow::{Error, Result, anyhow, bail};

use crate::{
    cli::{
        args::Rekey,
        batch::encryptors::Encryptors,
        keys::{
            keyring::{Access, Keyring},
            recipients::match_stanza,
        },
        terminal::{
            advice::{Advise, advised},
            messages::Messages,
        },
    },
    crypto::{Decryptor, Encryptor, Header, Match, Recipient, Stanza, Unlocked, stanza_type::is_grease},
};

/// How a file changes.
pub(super) enum Change {
    /// Header and payload are sealed again, under a new file key.
    Everything(Encryptor),
    /// The file gets another header under the same file key.
    Header(Header),
}

impl Change {
    pub(super) fn header(&self) -> &Header {
        match self {
            Self::Everything(encryptor) => encryptor.header(),
            Self::Header(header) => header,
        }
    }
}

/// Decides how files change, given the arguments, the named recipients and the owners of the old stanzas.
pub(super) struct Planner<'a> {
    pub(super) args: &'a Rekey,
    pub(super) recipients: &'a [Recipient],
    pub(super) encryptors: &'a Encryptors,
    pub(super) keyring: &'a Keyring,
    pub(super) messages: &'a Messages,
}

impl Planner<'_> {
    /// Decides how the file changes. Returns `None` if an earlier run has done it. Refuses a change that would lock out the user,
    /// unless `--force` is given.
    pub(super) fn decide(&self, decryptor: &Decryptor, unlocked: &Unlocked) -> Result<Option<Change>> {
        if self.is_done(decryptor) {
            return Ok(None);
        }
        let change = self.plan(decryptor, unlocked)?;
        // Whoever sets a passphrase knows it.
        if self.args.force || self.args.passphrase {
            return Ok(Some(change));
        }
        match self.keyring.access(&Decryptor::read(&mut change.header().as_bytes())?) {
            Access::Granted => {}
            Access::Denied => return Err(anyhow!("none of your identities could open it any more")).hint(OWN_KEY),
            Access::Unknown => self.messages.warning_once(UNKNOWN_ACCESS),
        }
        Ok(Some(change))
    }

    /// Whether every stanza is known to be for a named recipient, each of those has a stanza, and the run also names an identity
    /// that is to lose access. Without such an identity, the purpose of the run is a new file key.
    fn is_done(&self, decryptor: &Decryptor) -> bool {
        if self.args.add || self.args.remove || !self.keyring.has_other_than(self.recipients) {
            return false;
        }
        let stanzas = decryptor.header().stanzas();
        let owners = self.keyring.owners(decryptor);
        let is_owned = |(stanza, owner): (&Stanza, &Option<Recipient>)| {
            self.recipients.iter().any(|recipient| is_owned_by(recipient, stanza, owner.as_ref()))
        };
        let has_stanza = |recipient: &Recipient| {
            stanzas.iter().zip(&owners).any(|(stanza, owner)| is_owned_by(recipient, stanza, owner.as_ref()))
        };
        owners.iter().all(Option::is_some)
            && stanzas.iter().zip(&owners).all(is_owned)
            && self.recipients.iter().all(has_stanza)
    }

    fn plan(&self, decryptor: &Decryptor, unlocked: &Unlocked) -> Result<Change> {
        if !self.args.add && !self.args.remove {
            return Ok(Change::Everything(self.encryptors.next(self.recipients)?));
        }
        let stanzas = decryptor.header().stanzas();
        let owners = self.keyring.owners(decryptor);
        let (kept, added) = if self.args.add {
            self.with_added(stanzas, &owners)
        } else {
            (self.without_removed(stanzas, &owners)?, Vec::new())
        };
        if self.args.header_only {
            return Ok(Change::Header(unlocked.rewrap(kept.iter().map(|index| &stanzas[*index]), added)?));
        }
        let known = kept.iter().filter(|index| !is_grease(&stanzas[**index].tag)).map(|index| {
            owners[*index].as_ref().ok_or_else(|| self.with_remedy(unknown_owner(*index, &stanzas[*index])))
        });
        let mut known = known.collect::<Result<Vec<_>>>()?;
        // age writes a stanza for each time that a key is named.
        let mut names = HashSet::new();
        known.retain(|recipient| names.insert(recipient.to_string()));
        Ok(Change::Everything(Encryptor::new(known.into_iter().chain(added))?))
    }

    /// The indices of the stanzas to keep (all of them), and the recipients that have no stanza yet.
    fn with_added(&self, stanzas: &[Stanza], owners: &[Option<Recipient>]) -> (Vec<usize>, Vec<&Recipient>) {
        let is_new = |recipient: &&Recipient| {
            let Some(index) = (0..stanzas.len()).find(|&at| is_owned_by(recipient, &stanzas[at], owners[at].as_ref()))
            else {
                return true;
            };
            self.messages.warning(&match owners[index] {
                Some(_) => format!("{recipient} can open the file already"),
                None => {
                    format!(
                        "stanza {} already names {recipient}, but solekey cannot tell whether that key opens the file",
                        index + 1
                    )
                }
            });
            false
        };
        ((0..stanzas.len()).collect(), self.recipients.iter().filter(is_new).collect())
    }

    /// The indices of the stanzas to keep: those for none of the named recipients.
    fn without_removed(&self, stanzas: &[Stanza], owners: &[Option<Recipient>]) -> Result<Vec<usize>> {
        let mut kept: Vec<_> = (0..stanzas.len()).collect();
        for recipient in self.recipients {
            let before = kept.len();
            kept.retain(|index| !is_owned_by(recipient, &stanzas[*index], owners[*index].as_ref()));
            if kept.len() == before {
                return Err(self.with_remedy(anyhow!("cannot tell which stanza is for {recipient}")));
            }
        }
        if kept.iter().all(|index| is_grease(&stanzas[*index].tag)) {
            bail!("nobody would be left who can open it");
        }
        Ok(kept)
    }

    /// Adds a hint if the owner of a stanza is unknown.
    fn with_remedy(&self, error: Error) -> Error {
        let remedy =
            "name every recipient to keep with -r and -R, without --add or --remove; or give their identities with -i";
        // Keeping the file key does not help against a recipient that already has it.
        let more = if self.args.header_only { "" } else { "; or keep the file key with --header-only" };
        advised(error, format!("{remedy}{more}"))
    }
}

/// The next step if a change would lock out the user.
const OWN_KEY: &str = "name your own public key too, with -r or -R; if you have named a new one, name its identity with -i too; to give the file away, use --force";

/// The warning if a plugin, a locked key or a passphrase might be the user's way in.
const UNKNOWN_ACCESS: &str = "solekey cannot tell whether one of your keys opens the new file; keep a copy until you have tried, or name your own public key too";

/// Whether a stanza is known to be for a recipient. `owner` is the stanza's owner, if an identity has proven it.
fn is_owned_by(recipient: &Recipient, stanza: &Stanza, owner: Option<&Recipient>) -> bool {
    match_stanza(recipient, stanza, owner) == Match::Yes
}

fn unknown_owner(index: usize, stanza: &Stanza) -> Error {
    anyhow!(
        "cannot identify the recipient of stanza {} ({}), so a new file key cannot be wrapped to them",
        index + 1,
        stanza.tag
    )
}
