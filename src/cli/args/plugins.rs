//! Limits on plugins.

use clap::Args;

/// Whether plugins may run.
#[derive(Args, Clone, Copy)]
pub(crate) struct NoPlugins {
    /// Fail rather than run a plugin
    #[arg(long, help_heading = "Plugins")]
    pub(crate) no_plugins: bool,
}

/// Limits on plugins.
#[derive(Args, Clone, Copy)]
pub(crate) struct PluginRules {
    #[command(flatten)]
    pub(crate) may_run: NoPlugins,
    /// Let a plugin write any number of stanzas for a key, not just one; each can open the file
    #[arg(long, help_heading = "Plugins", conflicts_with = "no_plugins")]
    pub(crate) allow_plugin_stanzas: bool,
}

impl From<NoPlugins> for PluginRules {
    fn from(may_run: NoPlugins) -> Self {
        Self { may_run, allow_plugin_stanzas: false }
    }
}
