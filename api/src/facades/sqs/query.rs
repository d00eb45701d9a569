//! The Query protocol: a form whose names are paths (`SendMessageBatchRequestEntry.1.MessageBody`) becomes the JSON that newer
//! clients would have sent, so that everything behind it knows one shape.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::error::{Refused, code};

/// More parameters are refused: ten messages of ten attributes have 400.
const MOST_PARAMETERS: usize = 2_000;
/// Names have at most so many parts: `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue`.
const MOST_PARTS: usize = 6;

/// Lists, as the form names an item of them, and what the list is called.
const LISTS: [(&str, &str); 9] = [
    ("AttributeName", "AttributeNames"),
    ("MessageSystemAttributeName", "MessageSystemAttributeNames"),
    ("MessageAttributeName", "MessageAttributeNames"),
    ("AWSAccountId", "AWSAccountIds"),
    ("ActionName", "Actions"),
    ("TagKey", "TagKeys"),
    ("SendMessageBatchRequestEntry", "Entries"),
    ("DeleteMessageBatchRequestEntry", "Entries"),
    ("ChangeMessageVisibilityBatchRequestEntry", "Entries"),
];
/// Maps, as the form names an entry of them, and what the map is called.
const MAPS: [(&str, &str); 4] = [
    ("Attribute", "Attributes"),
    ("Tag", "Tags"),
    ("MessageAttribute", "MessageAttributes"),
    ("MessageSystemAttribute", "MessageSystemAttributes"),
];
const INTEGERS: [&str; 6] = [
    "DelaySeconds",
    "MaxNumberOfMessages",
    "MaxNumberOfMessagesPerSecond",
    "MaxResults",
    "VisibilityTimeout",
    "WaitTimeSeconds",
];

/// A form as a tree; items of lists stand under their numbers.
#[derive(Default)]
struct Node {
    text: Option<String>,
    /// By number where there is one, then by name.
    below: BTreeMap<(Option<u32>, String), Node>,
}

/// The parameters of a form in the shape of JSON, and its `Action`.
///
/// # Errors
/// `MalformedInput` for what is no form, `InvalidParameterValue` for a number that is none.
pub(super) fn read(form: &str) -> Result<(Option<String>, Value), Refused> {
    let malformed = |why: &'static str| Refused::new(code::SERIALIZATION, why);
    let mut root = Node::default();
    for (count, pair) in form.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == MOST_PARAMETERS {
            return Err(malformed("The request has too many parameters."));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        let (Some(name), Some(value)) = (name, value) else {
            return Err(malformed("The request is not UTF-8, or wrongly encoded."));
        };
        if name.split('.').count() > MOST_PARTS {
            return Err(malformed("The name of a parameter has too many parts."));
        }
        let node = name.split('.').fold(&mut root, |node, part| {
            let number = part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
            node.below.entry((number, part.to_owned())).or_default()
        });
        if node.text.replace(value).is_some() {
            return Err(malformed("A parameter stands there twice."));
        }
    }
    let action = root.below.remove(&(None, "Action".to_owned())).and_then(|node| node.text);
    root.below.remove(&(None, "Version".to_owned()));
    Ok((action, Value::Object(structure(root)?)))
}

/// The fields of a structure: lists and maps under the names that JSON has for them.
fn structure(node: Node) -> Result<Map<String, Value>, Refused> {
    let mut fields = Map::new();
    for ((_, name), node) in node.below {
        let list = LISTS.iter().find(|(item, _)| *item == name);
        let map = MAPS.iter().find(|(entry, _)| *entry == name);
        // How older clients write that there is none: `Entries=`.
        let none = node.below.is_empty() && node.text.as_deref() == Some("");
        let (name, value) = match (list, map) {
            _ if none && LISTS.iter().any(|(_, list)| *list == name) => (name, Value::Array(Vec::new())),
            _ if none && MAPS.iter().any(|(_, map)| *map == name) => (name, Value::Object(Map::new())),
            (Some((_, list)), _) => ((*list).to_owned(), Value::Array(items(node)?)),
            (_, Some((_, map))) => ((*map).to_owned(), Value::Object(entries(node)?)),
            _ if INTEGERS.contains(&&*name) => {
                let value = integer(&name, node.text)?;
                (name, value)
            }
            _ => (name, plain(node)?),
        };
        fields.insert(name, value);
    }
    Ok(fields)
}

/// The items of a list; one that bears no number is a list by itself.
fn items(node: Node) -> Result<Vec<Value>, Refused> {
    if let Some(text) = node.text {
        return Ok(vec![Value::String(text)]);
    }
    node.below.into_values().map(plain).collect()
}

/// The entries of a map, each of which has a name and a value; one that bears no number is a map by itself.
fn entries(node: Node) -> Result<Map<String, Value>, Refused> {
    let numbered = node.below.keys().any(|(number, _)| number.is_some());
    let entries = if numbered { node.below.into_values().collect() } else { vec![node] };
    let mut map = Map::new();
    for mut entry in entries {
        let mut take = |name: &str| entry.below.remove(&(None, name.to_owned()));
        let name = take("Name").or_else(|| take("Key")).and_then(|node| node.text);
        let name = name.ok_or_else(|| Refused::new(code::SERIALIZATION, "An entry of a map has no name."))?;
        let value = take("Value").map_or_else(|| Ok(Value::String(String::new())), plain)?;
        if map.insert(name, value).is_some() {
            return Err(Refused::new(code::SERIALIZATION, "Two entries of a map have one name."));
        }
    }
    Ok(map)
}

fn plain(node: Node) -> Result<Value, Refused> {
    match node.text {
        Some(text) if node.below.is_empty() => Ok(Value::String(text)),
        None => structure(node).map(Value::Object),
        Some(_) => Err(Refused::new(code::SERIALIZATION, "A parameter is both a text and a structure.")),
    }
}

fn integer(name: &str, text: Option<String>) -> Result<Value, Refused> {
    let text = text.unwrap_or_default();
    let number = text.parse::<i64>().map(|number| Value::Number(Number::from(number)));
    number.map_err(|_| domain::queue::Refusal::value(text, name, "Must be an integer.").into())
}

/// What `application/x-www-form-urlencoded` text stands for; none where it is not UTF-8 or breaks off.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(form: &str, expected: &Value) {
        let (_, value) = read(form).expect("a form");
        assert_eq!(value, *expected, "{form}");
    }

    #[test]
    fn forms_become_the_json_that_newer_clients_send() {
        assert_eq!(read("Action=ListQueues&Version=2012-11-05"), Ok((Some("ListQueues".into()), json!({}))));
        check(
            "QueueName=a.fifo&Attribute.1.Name=FifoQueue&Attribute.1.Value=true&Tag.1.Key=k&Tag.1.Value=",
            &json!({"QueueName": "a.fifo", "Attributes": {"FifoQueue": "true"}, "Tags": {"k": ""}}),
        );
        check("AttributeName.2=b&AttributeName.10=c&AttributeName.1=a", &json!({"AttributeNames": ["a", "b", "c"]}));
        check(
            "AttributeName=All&MaxNumberOfMessages=10",
            &json!({"AttributeNames": ["All"], "MaxNumberOfMessages": 10}),
        );
        check("Entries=&Tags=", &json!({"Entries": [], "Tags": {}}));
        check("Attribute.Name=VisibilityTimeout&Attribute.Value=5", &json!({"Attributes": {"VisibilityTimeout": "5"}}));
        check(
            "MessageBody=a%20b%2Bc+%E2%82%AC&DelaySeconds=-1",
            &json!({"MessageBody": "a b+c €", "DelaySeconds": -1}),
        );
        check(
            "SendMessageBatchRequestEntry.2.Id=two&SendMessageBatchRequestEntry.1.Id=one&SendMessageBatchRequestEntry.1.\
             DelaySeconds=3&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.\
             MessageAttribute.1.Value.StringValue=v&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String",
            &json!({"Entries": [
                {"Id": "one", "DelaySeconds": 3, "MessageAttributes": {"n": {"StringValue": "v", "DataType": "String"}}},
                {"Id": "two"}
            ]}),
        );
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for form in [
            "MessageBody=%",
            "MessageBody=%f",
            "MessageBody=%zz",
            "MessageBody=%ff",
            "QueueName=a&QueueName=b",
            "a.b.c.d.e.f.g=1",
            "Tag.1.Value=x",
            "Tag.1.Key=a&Tag.2.Key=a",
            "AWSAccountId.1=x&AWSAccountId.1.y=z",
            &vec!["a=b"; 2_001].join("&"),
        ] {
            assert_eq!(read(form).expect_err(form).code, code::SERIALIZATION, "{form}");
        }
        let refused = read("VisibilityTimeout=soon").expect_err("no number");
        assert_eq!(refused.code, code::INVALID_PARAMETER);
    }
}
