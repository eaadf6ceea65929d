//! Numbers among the arguments, with errors in words.

use std::str::FromStr;

/// Parses a number. The error is `fault`.
pub(super) fn number<T: FromStr>(fault: &'static str) -> impl Fn(&str) -> Result<T, &'static str> + Clone {
    move |text| text.parse().map_err(|_| fault)
}

/// Parses a number of threads.
pub(super) fn thread_count(text: &str) -> Result<usize, &'static str> {
    number("it is not a number from 0 to 1,024")(text)
}

/// Parses a number of stanzas.
pub(super) fn stanza_count(text: &str) -> Result<usize, &'static str> {
    number("it is not a number of stanzas, such as 2")(text)
}

/// Parses the number of a file descriptor.
pub(super) fn descriptor(text: &str) -> Result<u32, &'static str> {
    number("it is not the number of a file descriptor, such as 3")(text)
}

/// Parses the limit on scrypt work factors.
pub(super) fn work_factor(text: &str) -> Result<u8, &'static str> {
    let fault = "it is not a number from 1 to 63";
    number(fault)(text).and_then(|factor| if (1..=63).contains(&factor) { Ok(factor) } else { Err(fault) })
}
