//! Texts that know whether they may be shown.
//!
//! A sensitive value came from interpolation, an env file, a secret or a config, or stands under a name that says so. It
//! is kept apart by type: printing one gives `***`, and a plan holds only its commitment, a keyed hash. The executor
//! turns a commitment back into the text with what the loader gave it; nothing else can.

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use smol_str::SmolStr;
use std::{collections::BTreeMap, fmt};

/// The key that marks a sensitive text where a desired state is stored (always sealed). No environment variable, label
/// or path can hold a NUL, so nothing of a user's is taken for it.
pub(super) const SENSITIVE_KEY: &str = "\0sensitive";

/// What the text of a commitment begins with.
pub const COMMITTED: &str = "hmac:";

/// A text, and whether it may be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// May be shown.
    Plain(SmolStr),
    /// Must never be shown, logged or stored unsealed.
    Sensitive(SmolStr),
    /// `hmac:<hex>`: stands for a sensitive text in a plan.
    Committed(SmolStr),
}

impl Value {
    /// A text that may be shown.
    pub fn plain(text: impl AsRef<str>) -> Value {
        Value::Plain(text.as_ref().into())
    }

    /// A text that must not be shown.
    pub fn sensitive(text: impl AsRef<str>) -> Value {
        Value::Sensitive(text.as_ref().into())
    }

    /// The text itself, for the engine and for comparing; a commitment's is its hash.
    pub fn reveal(&self) -> &str {
        match self {
            Value::Plain(text) | Value::Sensitive(text) | Value::Committed(text) => text,
        }
    }

    /// Whether it must not be shown.
    pub fn is_sensitive(&self) -> bool {
        !matches!(self, Value::Plain(_))
    }

    /// What may be printed: the text, or `***`.
    pub fn shown(&self) -> &str {
        match self {
            Value::Plain(text) => text,
            _ => "***",
        }
    }

    /// The same text with the other's sensitivity: an observed value is as sensitive as the desired one.
    pub fn as_sensitive_as(self, other: &Value) -> Value {
        match self {
            Value::Plain(text) if other.is_sensitive() => Value::Sensitive(text),
            value => value,
        }
    }

    /// What a plan may hold: the text, or its commitment under this salt.
    pub fn committed(&self, salt: &Salt) -> Value {
        match self {
            Value::Sensitive(text) => Value::Committed(salt.commit(text).into()),
            value => value.clone(),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.shown())
    }
}

impl Serialize for Value {
    /// A sensitive text is written whole: only a sealed store and the executor's engine calls serialise one.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Plain(text) | Value::Committed(text) => serializer.serialize_str(text),
            Value::Sensitive(text) => serializer.collect_map([(SENSITIVE_KEY, text)]),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Plain(SmolStr),
            Sensitive(BTreeMap<String, SmolStr>),
        }
        match Stored::deserialize(deserializer)? {
            Stored::Plain(text) => Ok(Value::Plain(text)),
            Stored::Sensitive(mut map) => map
                .remove(SENSITIVE_KEY)
                .map(Value::Sensitive)
                .ok_or_else(|| serde::de::Error::custom("a value is a text")),
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A text; `***` for a sensitive one, or `hmac:<hex>` in a saved plan."
        })
    }
}

/// The key of the commitments of one plan: 32 hex digits, drawn by the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// Takes 32 hex digits as they are.
    pub fn new(hex: impl Into<String>) -> Salt {
        Salt(hex.into())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `hmac:<hex>` of a text.
    pub fn commit(&self, text: &str) -> String {
        format!("{COMMITTED}{}", self.digest(text.as_bytes()))
    }

    /// HMAC-SHA-256 (hex) of some bytes under this salt.
    pub fn digest(&self, bytes: &[u8]) -> String {
        // HMAC takes a key of any length, so the error that the constructor's type allows does not exist.
        match Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) {
            Ok(mut mac) => {
                mac.update(bytes);
                hex::encode(mac.finalize().into_bytes())
            }
            Err(_) => String::new(),
        }
    }
}

/// The sensitive texts of a desired state by their commitment: what the executor may reveal.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, SmolStr>);

impl Secrets {
    /// Remembers a sensitive text under its commitment.
    pub fn keep(&mut self, salt: &Salt, value: &Value) {
        if let Value::Sensitive(text) = value {
            self.0.insert(salt.commit(text), text.clone());
        }
    }

    /// The text that a commitment stands for; other values as they are. `None` for an unknown commitment.
    pub fn reveal(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Committed(hash) => self.0.get(&**hash).map(|text| Value::Sensitive(text.clone())),
            value => Some(value.clone()),
        }
    }

    /// `text` with every sensitive value of at least six bytes replaced by `***`.
    pub fn mask(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self.0.values().map(SmolStr::as_str).filter(|secret| secret.len() >= 6).collect();
        // The longest first, or a secret that contains another would be left half readable.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_text_is_never_printed() {
        let secret = Value::sensitive("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** \"***\"");
        assert_eq!(format!("{}", secret.committed(&Salt::new("00"))), "***");
    }

    #[test]
    fn stored_values_read_back_with_their_sensitivity() {
        for value in [Value::plain("info"), Value::sensitive("hunter2")] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }

    #[test]
    fn only_the_one_who_holds_the_secrets_reveals_a_commitment() {
        let salt = Salt::new("0123");
        let secret = Value::sensitive("hunter2");
        let committed = secret.committed(&salt);
        assert!(committed.reveal().starts_with("hmac:"));
        assert_eq!(Secrets::default().reveal(&committed), None);
        let mut secrets = Secrets::default();
        secrets.keep(&salt, &secret);
        assert_eq!(secrets.reveal(&committed), Some(secret));
        assert_eq!(secrets.mask("password=hunter2"), "password=***");
    }
}
