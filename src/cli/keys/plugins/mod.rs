//! Plugins: programs called `age-plugin-NAME` on the PATH that wrap and unwrap file keys.
//!
//! A plugin runs only when a key that the command line names, or `-j`, asks for it. Spec: <https://c2sp.org/age-plugin>.

pub(crate) mod error;
mod message;
mod plugin;
mod process;
pub(crate) mod redact;
#[cfg(any(test, fuzzing))]
pub(crate) mod script;
mod search;
pub(crate) mod session;
mod unwrapper;
mod user;
mod wrapper;

use std::sync::{Arc, Mutex, OnceLock};

use anyhow::Result;

use crate::{
    cli::{
        args::PluginRules,
        keys::plugins::{plugin::Plugin, session::Key, unwrapper::Unwrapper, wrapper::Wrapper},
        terminal::{
            advice::misuse,
            key_material::{Suspicion, redacted, suspicion},
            messages::Messages,
            prompt::Prompt,
        },
    },
    crypto::{Identity, ParseIdentityError, ParseRecipientError, Recipient, plugin_key, secrecy::Zeroizing},
};

/// How plugins are used in this run.
#[derive(Clone)]
pub(crate) struct Plugins {
    rules: PluginRules,
    prompt: Arc<Prompt>,
    messages: Messages,
    session: Arc<Mutex<()>>,
}

impl Plugins {
    pub(crate) fn new(rules: PluginRules, prompt: Arc<Prompt>, messages: &Messages) -> Self {
        Self { rules, prompt, messages: *messages, session: Arc::default() }
    }

    /// A recipient from its text, `age1NAME1…`, which has been found to be well formed.
    pub(crate) fn recipient(&self, text: &str) -> Result<Recipient> {
        // Its encoding allows upper case too, for the same key.
        let text = text.trim().to_ascii_lowercase();
        let plugin = plugin_key::recipient_plugin(&text).ok_or(ParseRecipientError::Mistyped)?;
        self.wrapper(text.clone(), &plugin, Key::Recipient(text))
    }

    /// The recipient that belongs to an identity, `AGE-PLUGIN-NAME-1…`, which stands at `place`.
    pub(crate) fn recipient_of_identity(&self, text: &str, place: &str) -> Result<Recipient> {
        let plugin = plugin_key::identity_plugin(text).ok_or(ParseIdentityError::Mistyped)?;
        let name = format!("the identity of {} in {place}", program(&plugin));
        self.wrapper(name, &plugin, Key::Identity(Zeroizing::new(text.to_owned())))
    }

    /// An identity from its text, `AGE-PLUGIN-NAME-1…`.
    pub(crate) fn identity(&self, text: &str) -> Result<Identity> {
        let plugin = plugin_key::identity_plugin(text).ok_or(ParseIdentityError::Mistyped)?;
        self.unwrapper(&plugin, text)
    }

    /// The identity of a plugin that needs none.
    pub(crate) fn default_identity(&self, plugin: &str) -> Result<Identity> {
        let identity = default_for(plugin)?;
        self.unwrapper(&plugin.to_ascii_lowercase(), &identity)
    }

    /// The recipient of a plugin that needs no key.
    pub(crate) fn default_recipient(&self, plugin: &str) -> Result<Recipient> {
        let identity = default_for(plugin)?;
        let plugin = plugin.to_ascii_lowercase();
        self.wrapper(program(&plugin), &plugin, Key::Identity(Zeroizing::new(identity)))
    }

    fn wrapper(&self, name: String, plugin: &str, key: Key) -> Result<Recipient> {
        self.must_be_allowed(plugin)?;
        let plugin = self.plugin(plugin);
        // Now, before any file is touched.
        search::find(&plugin.program).map_err(error::into_anyhow)?;
        let wrapper = Box::new(Wrapper { plugin, key });
        Ok(Recipient::External { name, wrapper, many_stanzas: self.rules.allow_plugin_stanzas })
    }

    /// The plugin is looked for when it is asked: another key may open the file.
    fn unwrapper(&self, plugin: &str, identity: &str) -> Result<Identity> {
        self.must_be_allowed(plugin)?;
        Ok(Identity::External(Box::new(Unwrapper::new(self.plugin(plugin), identity))))
    }

    fn must_be_allowed(&self, plugin: &str) -> Result<()> {
        if self.rules.may_run.no_plugins {
            return misuse(
                format!(
                    "{} is needed for a named key, and --no-plugins forbids running it",
                    redacted(&program(plugin), Suspicion::Fragment)
                ),
                "leave out that key, or --no-plugins",
            );
        }
        Ok(())
    }

    fn plugin(&self, name: &str) -> Plugin {
        Plugin {
            program: program(name),
            prompt: self.prompt.clone(),
            messages: self.messages,
            session: self.session.clone(),
            serves_many: OnceLock::new(),
        }
    }
}

/// The identity that stands for a plugin alone.
fn default_for(plugin: &str) -> Result<String> {
    // Checked here: in the lower case of a program's name, a part of a key would not be recognized.
    let name = Some(plugin).filter(|name| suspicion(name.as_bytes()) == Suspicion::None);
    match name.and_then(plugin_key::default_identity) {
        Some(identity) => Ok(identity),
        None => misuse("-j: not a valid plugin name", "for age-plugin-NAME, it is -j NAME"),
    }
}

fn program(plugin: &str) -> String {
    format!("age-plugin-{plugin}")
}
