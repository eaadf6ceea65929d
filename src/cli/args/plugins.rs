//! Limits on plugins.

use clap::Args;

/// Whether plugins may run, and with what rights.
#[derive(Args, Clone, Copy)]
pub(crate) struct RunPlugins {
    /// Fail instead of running a plugin
    #[arg(long, help_heading = "Plugins")]
    pub(crate) no_plugins: bool,
    /// Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself
    /// still cannot
    #[arg(long, help_heading = "Plugins", conflicts_with = "no_plugins")]
    pub(crate) allow_plugin_network: bool,
}

/// Limits on plugins.
#[derive(Args, Clone, Copy)]
pub(crate) struct PluginRules {
    #[command(flatten)]
    pub(crate) may_run: RunPlugins,
    /// Let a plugin write any number of stanzas for a key, not just one; each can open the file
    #[arg(long, help_heading = "Plugins", conflicts_with = "no_plugins")]
    pub(crate) allow_plugin_stanzas: bool,
}

impl From<RunPlugins> for PluginRules {
    fn from(may_run: RunPlugins) -> Self {
        Self { may_run, allow_plugin_stanzas: false }
    }
}
