//! The encodings of plugin keys: `age1NAME1…` and `AGE-PLUGIN-NAME-1…`.
//!
//! Only the encoding is checked here. The data in a key belongs to its plugin.
//!
//! Spec: <https://c2sp.org/age-plugin#mapping-recipients-and-identities-to-plugin-binaries>.

use age_core::primitives::{bech32_decode, bech32_encode};
use bech32::Hrp;

const RECIPIENT_PREFIX: &str = "age1";
const IDENTITY_PREFIX: &str = "AGE-PLUGIN-";

/// Returns the name of the plugin that a public key `age1NAME1…` belongs to.
///
/// `None` if the text is not in this encoding, in lower case throughout.
pub(crate) fn recipient_plugin(text: &str) -> Option<String> {
    plugin_name(prefix(text)?.strip_prefix(RECIPIENT_PREFIX)?)
}

/// Returns the name of the plugin that an identity `AGE-PLUGIN-NAME-1…` belongs to, in lower case.
///
/// `None` if the text is not in this encoding, in upper case throughout.
pub(crate) fn identity_plugin(text: &str) -> Option<String> {
    plugin_name(prefix(text)?.strip_prefix(IDENTITY_PREFIX)?.strip_suffix('-')?)
}

/// Returns the identity without data that stands for the plugin itself.
///
/// `None` if no plugin can have that name.
pub(crate) fn default_identity(plugin: &str) -> Option<String> {
    let name = plugin_name(plugin)?;
    let prefix = Hrp::parse(&format!("{IDENTITY_PREFIX}{name}-").to_ascii_lowercase()).ok()?;
    Some(bech32_encode(prefix, &[]).to_ascii_uppercase())
}

/// The part before the last `1`, in the case of the text. The checksum must be right, and the data must be whole bytes.
fn prefix(text: &str) -> Option<String> {
    bech32_decode(text, |_| (), |_| Ok(()), |prefix, _| Ok(prefix.as_str().to_owned())).ok()
}

/// The name in lower case, if it can be part of a file name.
///
/// The specification allows any visible character. A slash would lead out of the folders of the PATH.
fn plugin_name(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_plain)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(prefix: &str) -> String {
        bech32_encode(Hrp::parse(prefix).expect("it is a prefix"), b"data")
    }

    #[test]
    fn keys_tell_their_plugin() {
        assert_eq!(recipient_plugin(&encode("age1yubikey")).as_deref(), Some("yubikey"));
        assert_eq!(recipient_plugin(&encode("age1a+b-c._1")).as_deref(), Some("a+b-c._1"));
        let identity = encode("age-plugin-yubikey-").to_uppercase();
        assert_eq!(identity_plugin(&identity).as_deref(), Some("yubikey"));
        assert_eq!(default_identity("foobar").as_deref(), Some("AGE-PLUGIN-FOOBAR-1QVHULF"));
        assert_eq!(default_identity("FooBar"), default_identity("foobar"));
        assert_eq!(identity_plugin("AGE-PLUGIN-FOOBAR-1QVHULF").as_deref(), Some("foobar"));
    }

    #[test]
    fn other_texts_are_not_plugin_keys() {
        for text in ["", "age1", "age1yubikey", &encode("age1"), &encode("age"), &encode("age2yubikey")] {
            assert_eq!(recipient_plugin(text), None, "{text}");
        }
        let key = encode("age1yubikey");
        assert_eq!(recipient_plugin(&key.to_uppercase()), None);
        assert_eq!(recipient_plugin(&key.replacen('y', "Y", 1)), None);
        assert_eq!(recipient_plugin(&key[..key.len() - 1]), None);
        for prefix in ["age-plugin-", "age-plugin--", "age-plugin-yubikey", "age-secret-key-"] {
            assert_eq!(identity_plugin(&encode(prefix).to_uppercase()), None, "{prefix}");
        }
        assert_eq!(identity_plugin(&encode("age-plugin-yubikey-")), None);
    }

    #[test]
    fn names_that_lead_out_of_a_folder_are_refused() {
        for name in ["", "../x", "a/b", "a\\b", "a b", "é", "a:b"] {
            assert_eq!(default_identity(name), None, "{name}");
        }
        assert_eq!(default_identity(&"x".repeat(100)), None);
        assert_eq!(recipient_plugin(&encode("age1../x")), None);
        assert_eq!(identity_plugin(&encode("age-plugin-../x-").to_uppercase()), None);
    }
}
