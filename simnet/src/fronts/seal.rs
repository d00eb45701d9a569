//! Seals: a quote that comes back must be the one that was given, to the last field.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Fields that a fault adds, which no seal covers.
pub(super) const UNEXPECTED: &str = "undocumentedField";

/// A digest of a JSON value and a seed; numbers count as their text, since a fault may write amounts so.
pub(super) fn of(value: &Value, seed: u64) -> String {
    let mut digest = Sha256::new();
    digest.update(b"tradewind simnet seal\0");
    digest.update(seed.to_le_bytes());
    add(&mut digest, value);
    bs58::encode(&digest.finalize()[..16]).into_string()
}

fn add(digest: &mut Sha256, value: &Value) {
    let mut text = |tag: u8, text: &str| {
        digest.update([tag]);
        digest.update(text.len().to_le_bytes());
        digest.update(text.as_bytes());
    };
    match value {
        Value::Null => text(0, ""),
        Value::Bool(flag) => text(1, if *flag { "true" } else { "false" }),
        Value::Number(number) => text(2, &number.to_string()),
        Value::String(string) => text(2, string),
        Value::Array(values) => {
            text(3, &values.len().to_string());
            values.iter().for_each(|value| add(digest, value));
        }
        Value::Object(fields) => {
            let mut known: Vec<_> = fields.iter().filter(|(name, _)| *name != UNEXPECTED).collect();
            known.sort_unstable_by_key(|(name, _)| *name);
            text(4, &known.len().to_string());
            for (name, value) in known {
                add(digest, &Value::String(name.clone()));
                add(digest, value);
            }
        }
    }
}
