//! Integers as decimal text in JSON, as all numbers of a pool's state are written. For `#[serde(with = "crate::decimal")]`.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// # Errors
/// No text, or not a whole number that the type holds: a negative reserve, say.
pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(60).collect();
        D::Error::custom(format_args!("`{shown}` is no whole number that fits {}", std::any::type_name::<T>()))
    })
}
