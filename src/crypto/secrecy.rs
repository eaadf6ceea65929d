//! Types that overwrite what they hold when they are dropped. The owner of zeroize.

pub use age_core::secrecy::{ExposeSecret, SecretString};
pub use zeroize::{Zeroize, Zeroizing};
