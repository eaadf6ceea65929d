//! Plugins: programs called `age-plugin-NAME` on the PATH that wrap and unwrap file keys. The owner of
//! `age::plugin`.
//!
//! A plugin runs only when a key that the command line names, or `-j`, asks for it. Spec:
//! <https://c2sp.org/age-plugin>.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use age::{
    Callbacks, DecryptError, EncryptError,
    plugin::{IdentityPluginV1, RecipientPluginV1, ResolveError},
};
use anyhow::{Result, anyhow};

use crate::{
    cli::{
        args::PluginRules,
        terminal::{
            advice::misuse,
            errors::{PluginNotFound, Unanswered},
            escape::plain,
            key_material::{Suspicion, redacted},
            messages::Messages,
            prompt::Prompt,
        },
    },
    crypto::{FileKey, Identity, Recipient, Stanza, secrecy::SecretString},
};

/// How plugins are used in this run.
#[derive(Clone)]
pub(crate) struct Plugins {
    rules: PluginRules,
    prompt: Arc<Prompt>,
    messages: Messages,
}

impl Plugins {
    pub(crate) fn new(rules: PluginRules, prompt: Arc<Prompt>, messages: &Messages) -> Self {
        Self { rules, prompt, messages: *messages }
    }

    /// A recipient from its text, `age1NAME1…`, which has been found to be well formed.
    pub(crate) fn recipient(&self, text: &str) -> Result<Recipient> {
        // Its encoding allows upper case too, for the same key.
        let text = text.trim().to_ascii_lowercase();
        let recipient: age::plugin::Recipient = text.parse().map_err(|fault: &str| anyhow!(fault))?;
        let plugin = recipient.plugin().to_owned();
        self.wrapper(text, &plugin, &[recipient], &[])
    }

    /// The recipient that belongs to an identity, `AGE-PLUGIN-NAME-1…`, which stands at `place`.
    pub(crate) fn recipient_of_identity(&self, text: &str, place: &str) -> Result<Recipient> {
        let identity: age::plugin::Identity = text.parse().map_err(|fault: &str| anyhow!(fault))?;
        let plugin = identity.plugin().to_owned();
        self.wrapper(format!("the identity of {} in {place}", program(&plugin)), &plugin, &[], &[identity])
    }

    /// An identity from its text, `AGE-PLUGIN-NAME-1…`.
    pub(crate) fn identity(&self, text: &str) -> Result<Identity> {
        let identity: age::plugin::Identity = text.parse().map_err(|fault: &str| anyhow!(fault))?;
        self.unwrapper(identity)
    }

    /// The identity of a plugin that needs none.
    pub(crate) fn default_identity(&self, plugin: &str) -> Result<Identity> {
        self.unwrapper(default_for(plugin)?)
    }

    /// The recipient of a plugin that needs no key.
    pub(crate) fn default_recipient(&self, plugin: &str) -> Result<Recipient> {
        self.wrapper(program(plugin), plugin, &[], &[default_for(plugin)?])
    }

    fn wrapper(
        &self,
        name: String,
        plugin: &str,
        recipients: &[age::plugin::Recipient],
        identities: &[age::plugin::Identity],
    ) -> Result<Recipient> {
        self.must_be_allowed(plugin)?;
        let user = self.user(plugin);
        let session = RecipientPluginV1::new(plugin, recipients, identities, user.clone());
        let session = session.map_err(|error| anyhow!(io::Error::other(unresolved(&error))))?;
        Ok(Recipient::External {
            name,
            wrapper: Box::new(Wrapper { session, user }),
            many_stanzas: self.rules.allow_plugin_stanzas,
        })
    }

    fn unwrapper(&self, identity: age::plugin::Identity) -> Result<Identity> {
        self.must_be_allowed(identity.plugin())?;
        let user = self.user(identity.plugin());
        Ok(Identity::External(Box::new(Unwrapper { identity, user })))
    }

    fn must_be_allowed(&self, plugin: &str) -> Result<()> {
        if self.rules.may_run.no_plugins {
            return misuse(
                format!("a key of {} is named, and --no-plugins forbids running it", program(plugin)),
                "leave out that key, or --no-plugins",
            );
        }
        Ok(())
    }

    fn user(&self, plugin: &str) -> User {
        User {
            plugin: plugin.to_owned(),
            prompt: self.prompt.clone(),
            messages: self.messages,
            unanswered: Arc::default(),
        }
    }
}

/// Wraps file keys: one session with the plugin for each.
struct Wrapper {
    session: RecipientPluginV1<User>,
    user: User,
}

impl age::Recipient for Wrapper {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        self.session.wrap_file_key(file_key).map_err(|error| {
            EncryptError::Io(self.user.explain(match error {
                EncryptError::Plugin(errors) => self.user.quote(&errors),
                EncryptError::Io(error) => died(&error),
                other => other.to_string(),
            }))
        })
    }
}

/// Unwraps file keys: one session with the plugin for each.
struct Unwrapper {
    identity: age::plugin::Identity,
    user: User,
}

impl age::Identity for Unwrapper {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        let identities = std::slice::from_ref(&self.identity);
        let session = match IdentityPluginV1::new(self.identity.plugin(), identities, self.user.clone()) {
            Ok(session) => session,
            // Only now: another key may open the file.
            Err(error) => return Some(Err(DecryptError::Io(io::Error::other(unresolved(&error))))),
        };
        let unwrapped = session.unwrap_stanzas(stanzas)?;
        Some(unwrapped.map_err(|error| {
            DecryptError::Io(self.user.explain(match error {
                DecryptError::Plugin(errors) => self.user.quote(&errors),
                DecryptError::Io(error) => died(&error),
                DecryptError::DecryptionFailed => "it gave a file key of the wrong length".to_owned(),
                other => other.to_string(),
            }))
        }))
    }
}

/// Who answers a plugin's questions.
#[derive(Clone)]
struct User {
    plugin: String,
    prompt: Arc<Prompt>,
    messages: Messages,
    /// Whether a question got no answer.
    unanswered: Arc<AtomicBool>,
}

impl User {
    /// A plugin's failure in words. It is for want of an answer if there was one wanting.
    fn explain(&self, what: String) -> io::Error {
        let text = format!("{}: {what}", program(&self.plugin));
        if self.unanswered.load(Ordering::Relaxed) {
            io::Error::other(Unanswered(text))
        } else {
            io::Error::other(text)
        }
    }

    /// What the plugin itself says is wrong.
    fn quote(&self, errors: &[impl ToString]) -> String {
        let name = format!("'{}' ", program(&self.plugin));
        let said = errors.iter().map(|error| error.to_string().replace(&name, ""));
        plain(&said.collect::<Vec<_>>().join("; "))
    }

    fn ask<T>(&self, question: &str, ask: impl FnOnce(&Prompt, &str) -> Result<T>) -> Option<T> {
        let question = &plain(question);
        match ask(&self.prompt, &format!("{}: {question} ", program(&self.plugin))) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.unanswered.store(true, Ordering::Relaxed);
                self.messages.warning(&format!("{} asks: {question} (no answer: {error:#})", program(&self.plugin)));
                None
            }
        }
    }
}

impl Callbacks for User {
    fn display_message(&self, message: &str) {
        self.messages.relay(&format!("{}: {}", program(&self.plugin), plain(message)));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let question = format!("{message} [y: {yes}, n: {}]", no.unwrap_or("no"));
        let answer = self.ask(&question, Prompt::line)?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes") || answer.trim() == yes)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.ask(description, Prompt::line)
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.ask(description, Prompt::secret)
    }
}

/// The identity that stands for a plugin alone.
fn default_for(plugin: &str) -> Result<age::plugin::Identity> {
    match age::plugin::Identity::default_for_plugin(plugin) {
        Ok(identity) => Ok(identity),
        Err(_) => misuse("-j: that cannot be a plugin's name", "for age-plugin-NAME, it is -j NAME"),
    }
}

fn program(plugin: &str) -> String {
    redacted(&format!("age-plugin-{plugin}"), Suspicion::Fragment).into_owned()
}

fn unresolved(error: &ResolveError) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        ResolveError::MissingPlugin { binary_name } => Box::new(PluginNotFound(binary_name.clone())),
        _ => "that cannot be a plugin's name".into(),
    }
}

fn died(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => "it ended before it was done".to_owned(),
        _ => format!("it does not keep to the plugin protocol ({error})"),
    }
}
