//! Colours, on a terminal that has some: as in the help, which clap prints. The owner of anstream.
//!
//! NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM=dumb are respected. A tool that stands in for another prints none, as that tool does.

use std::{
    io::{stderr, stdout},
    sync::OnceLock,
};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::Style;

use crate::cli::{args::STYLES, terminal::persona};

/// A stream that may show colours.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// What a word means.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Bad,
    Warning,
    Hint,
}

impl Stream {
    fn has_colors(self) -> bool {
        static STDOUT: OnceLock<bool> = OnceLock::new();
        static STDERR: OnceLock<bool> = OnceLock::new();
        if persona::is_drop_in() {
            return false;
        }
        *match self {
            Self::Stdout => STDOUT.get_or_init(|| AutoStream::choice(&stdout()) != ColorChoice::Never),
            Self::Stderr => STDERR.get_or_init(|| AutoStream::choice(&stderr()) != ColorChoice::Never),
        }
    }

    /// The text in the colour of its meaning, or as it is.
    pub(crate) fn painted(self, text: &str, tone: Tone) -> String {
        let style: &Style = match tone {
            Tone::Good => STYLES.get_valid(),
            Tone::Bad => STYLES.get_error(),
            Tone::Warning => STYLES.get_invalid(),
            Tone::Hint => STYLES.get_literal(),
        };
        if self.has_colors() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A text of clap, in its colours if there are some.
    pub(super) fn styled(self, text: &clap::builder::StyledStr) -> String {
        if self.has_colors() { text.ansi().to_string() } else { text.to_string() }
    }
}
