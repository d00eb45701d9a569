//! JSON as JavaScript reads it: also with half a surrogate pair in a text, and with any number of fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Object;

/// Half a surrogate pair (`"\ud83d"`) stands for no character: U+FFFD takes its place.
const REPLACEMENT: [u8; 3] = [0xEF, 0xBF, 0xBD];

impl<'a> Object<'a> {
    /// The fields as any reader would see them, doubles included; JSON that is no object has none.
    ///
    /// # Errors
    /// Not JSON.
    pub(crate) fn loose(text: &'a str) -> Result<Self, serde_json::Error> {
        if let Ok(object) = serde_json::from_str(text) {
            return Ok(object);
        }
        // Whatever else it is, it must be JSON to its end.
        let whole: &RawValue = serde_json::from_str(text)?;
        if whole.get().starts_with('{') {
            return serde_json::from_str(whole.get()).map(|Fields(fields)| Self(fields));
        }
        Ok(Self(Vec::new()))
    }
}

/// The text of a JSON string; none for what is no string.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    // Reading bytes lets control characters pass, which JSON does not.
    serde_json::from_str::<&RawValue>(raw).ok().filter(|raw| raw.get().starts_with('"'))?;
    serde_json::from_str(raw).ok().map(|LooseText(text)| text)
}

/// As many as there are: the size of a body bounds them.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Fields<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'a> Visitor<'a> for All {
            type Value = Fields<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some((LooseText(key), value)) = map.next_entry::<LooseText<'a>, &'a RawValue>()? {
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(All)
    }
}

/// A JSON string, which serde_json hands over with its halves of pairs only as bytes.
struct LooseText<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for LooseText<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'a> Visitor<'a> for Bytes {
            type Value = LooseText<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'a [u8]) -> Result<LooseText<'a>, E> {
                std::str::from_utf8(bytes).map(|text| LooseText(Cow::Borrowed(text))).map_err(E::custom)
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<LooseText<'a>, E> {
                String::from_utf8(whole(bytes)).map(|text| LooseText(Cow::Owned(text))).map_err(E::custom)
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// Puts the replacement for every half of a pair, which takes as many bytes: in UTF-8 no `ED` comes before `A0` or more.
fn whole(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 2..bytes.len() {
        if bytes[at - 2] == 0xED && bytes[at - 1] >= 0xA0 {
            bytes[at - 2..=at].copy_from_slice(&REPLACEMENT);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs_are_replaced_one_by_one() {
        for (raw, expected) in [
            (r#""plain""#, "plain"),
            (r#""\ud83d\ude00 \u00e9 é \ud7ff""#, "😀 é é \u{d7ff}"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\ude00\ud83d\ud83d\ude00""#, "\u{fffd}\u{fffd}😀"),
            (r#""\ud83d\u0041\ud83d\n""#, "\u{fffd}A\u{fffd}\n"),
        ] {
            assert_eq!(text(raw).as_deref(), Some(expected), "{raw}");
        }
        for raw in ["5", "[1]", "null", "\"", "\"\u{1}\"", r#""\ud8""#] {
            assert_eq!(text(raw), None, "{raw}");
        }
    }

    #[test]
    fn an_object_keeps_its_fields_whatever_else_stands_there() {
        let many: String = (0..100).map(|n| format!("\"x{n}\":0,")).collect();
        for unknown in [many.as_str(), r#""\ud83d":0,"#, ""] {
            let sent = format!(r#" {{{unknown}"name":"known"}} "#);
            let object = Object::loose(&sent).expect("JSON");
            let (key, value) = object.0.last().expect("a field");
            assert_eq!((&**key, value.get()), ("name", "\"known\""), "{unknown}");
        }
        for none in ["[]", "5", "null", "\"{\""] {
            assert!(Object::loose(none).is_ok_and(|object| object.0.is_empty()), "{none}");
        }
        for broken in ["", "{", "{\"a\":1}x", "{\"\u{1}\":1}", "{\"a\":}"] {
            assert!(Object::loose(broken).is_err(), "{broken}");
        }
    }
}
