//! Attributes of messages on the wire, and the MD5 of what was sent and received, which clients compare.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::queue::{Attribute, Refusal, Value};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::error::{Refused, code};

/// The value of an attribute as it stands on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Worded {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    #[serde(skip_serializing)]
    string_list_values: Option<Vec<String>>,
    #[serde(skip_serializing)]
    binary_list_values: Option<Vec<String>>,
    data_type: Option<String>,
}

/// The attributes of one message by name.
pub(super) type ByName = BTreeMap<String, Worded>;

/// The attributes of a message, in order of their names. What they may be, the queue says.
///
/// # Errors
/// `SerializationException` for bytes that are no base64, `UnsupportedOperation` for lists, which AWS has reserved.
pub(super) fn read(given: Option<ByName>) -> Result<Vec<Attribute>, Refused> {
    given.unwrap_or_default().into_iter().map(|(name, worded)| one(name, worded)).collect()
}

fn one(name: String, worded: Worded) -> Result<Attribute, Refused> {
    let lists = [&worded.string_list_values, &worded.binary_list_values];
    if lists.into_iter().flatten().any(|list| !list.is_empty()) {
        let why = "Message attribute list values in SendMessage operation are not supported.";
        return Err(Refusal::UnsupportedOperation(why.to_owned()).into());
    }
    let value = match (worded.string_value, worded.binary_value) {
        (None, Some(encoded)) => {
            let bytes = STANDARD.decode(encoded);
            Value::Bytes(bytes.map_err(|_| Refused::new(code::SERIALIZATION, "A BinaryValue is no base64."))?)
        }
        (text, _) => Value::Text(text.unwrap_or_default()),
    };
    Ok(Attribute { name, type_: worded.data_type.unwrap_or_default(), value })
}

/// Attributes as a receiver sees them.
pub(super) fn shown<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> ByName {
    let shown = attributes.into_iter().map(|attribute| {
        let (string_value, binary_value) = match &attribute.value {
            Value::Text(text) => (Some(text.clone()), None),
            Value::Bytes(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        let data_type = Some(attribute.type_.clone());
        (attribute.name.clone(), Worded { string_value, binary_value, data_type, ..Worded::default() })
    });
    shown.collect()
}

/// The MD5 of a message's body, in hexadecimal.
pub(super) fn md5_of_body(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// The MD5 of attributes in order of their names; none where there is none. Each name, type and value counts with its length
/// as four bytes, and one byte says before a value whether it is text or binary.
///
/// Source: "Calculating the MD5 message digest for message attributes", Amazon SQS developer guide.
pub(super) fn md5_of<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Option<String> {
    let mut attributes = attributes.into_iter().peekable();
    attributes.peek()?;
    let mut digest = Md5::new();
    let add = |digest: &mut Md5, bytes: &[u8]| {
        digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(bytes);
    };
    for Attribute { name, type_, value } in attributes {
        add(&mut digest, name.as_bytes());
        add(&mut digest, type_.as_bytes());
        let (kind, bytes) = match value {
            Value::Text(text) => (1, text.as_bytes()),
            Value::Bytes(bytes) => (2, &**bytes),
        };
        digest.update([kind]);
        add(&mut digest, bytes);
    }
    Some(hexadecimal(&digest.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, value: &str) -> Attribute {
        Attribute { name: name.into(), type_: "String".into(), value: Value::Text(value.into()) }
    }

    /// What AWS answered to these messages, as LocalStack recorded it.
    #[test]
    fn digests_are_those_of_aws() {
        let (general, hello, help) = (text("General", "Kenobi"), text("Hello", "There"), text("Help.Me", "Me"));
        let digest = |attributes: &[&Attribute]| md5_of(attributes.iter().copied()).expect("some");
        assert_eq!(digest(&[&general, &hello, &help]), "4c360f3fdafd970e05fae2f149d997f5");
        assert_eq!(digest(&[&general, &hello]), "fca026605781cb4126a1e9044df24232");
        assert_eq!(digest(&[&hello, &help]), "83fee93c1bcd8b9a5a923ffacdc636c7");
        assert_eq!(digest(&[&text("Foo", "Bar")]), "ae7155c6026991b6d54b11589678bf9c");
        let trace = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01".to_vec();
        let binary = Attribute { name: "attr1".into(), type_: "Binary".into(), value: Value::Bytes(trace) };
        assert_eq!(digest(&[&binary]), "8cbe4db156db8a94db8b801b7addb984");
        assert_eq!(md5_of(std::iter::empty::<&Attribute>()), None);
        assert_eq!(md5_of_body("message-body-1"), "19c9e282d65f9733bc6b35d50062c7ee");
    }

    #[test]
    fn they_are_read_in_order_of_their_names_and_shown_as_they_came() {
        let wire =
            r#"{"b":{"DataType":"Number.int","StringValue":"-12"},"a":{"DataType":"Binary.png","BinaryValue":"AAEC"}}"#;
        let given: ByName = serde_json::from_str(wire).expect("read");
        let read = read(Some(given.clone())).expect("good");
        assert_eq!(read.iter().map(|a| &*a.name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(read[0].value, Value::Bytes(vec![0, 1, 2]));
        assert_eq!(shown(&read), given);
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let code = |wire: &str| read(serde_json::from_str(wire).expect("read")).expect_err(wire).code.query;
        assert_eq!(code(r#"{"a":{"DataType":"Binary","BinaryValue":"?"}}"#), "MalformedInput");
        let list = r#"{"a":{"DataType":"String","StringListValues":["x"]}}"#;
        assert_eq!(code(list), "AWS.SimpleQueueService.UnsupportedOperation");
    }
}
