//! Answers of the Query protocol: the same results as XML, whose lists and maps are flat and named by their items.

use serde_json::{Map, Value};

use super::error::{Refused, code};

const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// What an item of a list is called; entries of batches are called by their operation.
const ITEMS: [(&str, &str); 5] = [
    ("QueueUrls", "QueueUrl"),
    ("queueUrls", "QueueUrl"),
    ("Messages", "Message"),
    ("Failed", "BatchResultErrorEntry"),
    ("Results", "ListMessageMoveTasksResultEntry"),
];
/// What an entry of a map is called, and its name.
const ENTRIES: [(&str, &str, &str); 3] =
    [("Attributes", "Attribute", "Name"), ("MessageAttributes", "MessageAttribute", "Name"), ("Tags", "Tag", "Key")];

/// What an operation answers.
pub(super) fn answer(operation: &str, result: &Value, id: &str) -> String {
    let mut xml = String::with_capacity(512);
    xml.push_str("<?xml version=\"1.0\"?>");
    xml.push_str(&format!("<{operation}Response xmlns=\"{NAMESPACE}\">"));
    if let Value::Object(fields) = result {
        within(&mut xml, &format!("{operation}Result"), |xml| write_fields(xml, operation, fields));
    }
    within(&mut xml, "ResponseMetadata", |xml| write(xml, "RequestId", id));
    xml.push_str(&format!("</{operation}Response>"));
    xml
}

/// Why it is refused.
pub(super) fn refusal(refused: &Refused, id: &str) -> String {
    let mut xml = String::from("<?xml version=\"1.0\"?>");
    xml.push_str(&format!("<ErrorResponse xmlns=\"{NAMESPACE}\">"));
    let Refused { code, message } = refused;
    // Recorded: older clients are still told so.
    let message = match *code {
        code::QUEUE_DOES_NOT_EXIST => "The specified queue does not exist for this wsdl version.",
        _ => message,
    };
    within(&mut xml, "Error", |xml| {
        write(xml, "Type", if code.sender { "Sender" } else { "Receiver" });
        write(xml, "Code", code.query);
        write(xml, "Message", message);
        xml.push_str("<Detail/>");
    });
    write(&mut xml, "RequestId", id);
    xml.push_str("</ErrorResponse>");
    xml
}

fn write_fields(xml: &mut String, operation: &str, fields: &Map<String, Value>) {
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                let of_batch = format!("{operation}ResultEntry");
                let item = ITEMS.iter().find(|(list, _)| list == name).map_or(&*of_batch, |(_, item)| item);
                items.iter().for_each(|value| write_value(xml, operation, item, value));
            }
            Value::Object(map) => match ENTRIES.iter().find(|(entries, ..)| entries == name) {
                Some((_, entry, key)) => write_entries(xml, operation, (entry, key), map),
                None => write_value(xml, operation, name, value),
            },
            _ => write_value(xml, operation, name, value),
        }
    }
}

fn write_entries(xml: &mut String, operation: &str, (entry, key): (&str, &str), map: &Map<String, Value>) {
    for (name, value) in map {
        within(xml, entry, |xml| {
            write(xml, key, name);
            write_value(xml, operation, "Value", value);
        });
    }
}

fn write_value(xml: &mut String, operation: &str, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => within(xml, name, |xml| write_fields(xml, operation, fields)),
        Value::String(text) => write(xml, name, text),
        other => write(xml, name, &other.to_string()),
    }
}

fn within(xml: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    inside(xml);
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

fn write(xml: &mut String, name: &str, text: &str) {
    within(xml, name, |xml| {
        for c in text.chars() {
            match c {
                '&' => xml.push_str("&amp;"),
                '<' => xml.push_str("&lt;"),
                '>' => xml.push_str("&gt;"),
                '"' => xml.push_str("&quot;"),
                // A reader would make a line feed of a bare one.
                '\r' => xml.push_str("&#13;"),
                // XML 1.0 does not know them, not even escaped: no reader would take the answer.
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                    xml.push(char::REPLACEMENT_CHARACTER);
                }
                other => xml.push(other),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_maps_are_flat() {
        let result =
            json!({"Successful": [{"Id": "1", "MessageId": "m"}], "Failed": [{"Id": "2", "SenderFault": true}]});
        let xml = answer("SendMessageBatch", &result, "r");
        assert_eq!(
            xml,
            "<?xml version=\"1.0\"?><SendMessageBatchResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">\
             <SendMessageBatchResult><BatchResultErrorEntry><Id>2</Id><SenderFault>true</SenderFault>\
             </BatchResultErrorEntry><SendMessageBatchResultEntry><Id>1</Id><MessageId>m</MessageId>\
             </SendMessageBatchResultEntry></SendMessageBatchResult><ResponseMetadata><RequestId>r</RequestId>\
             </ResponseMetadata></SendMessageBatchResponse>"
        );
        let message = json!({"Messages": [{"Body": "<a>&\"\r\n", "Attributes": {"SenderId": "s"},
            "MessageAttributes": {"n": {"StringValue": "v", "DataType": "String"}}}]});
        let xml = answer("ReceiveMessage", &message, "r");
        for part in [
            "<Message><Attribute><Name>SenderId</Name><Value>s</Value></Attribute>",
            "<Body>&lt;a&gt;&amp;&quot;&#13;\n</Body>",
            "<MessageAttribute><Name>n</Name><Value><DataType>String</DataType><StringValue>v</StringValue></Value>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
        let tags = answer("ListQueueTags", &json!({"Tags": {"k": "v"}}), "r");
        assert!(tags.contains("<ListQueueTagsResult><Tag><Key>k</Key><Value>v</Value></Tag></ListQueueTagsResult>"));
        assert!(!answer("DeleteQueue", &json!(null), "r").contains("Result"));
    }

    #[test]
    fn what_xml_does_not_know_is_replaced() {
        let why = "a\0\u{1}\u{b}\u{1f}\u{ffff}b\t\n\u{85}\u{1f600}";
        let xml = refusal(&Refused::new(code::INVALID_PARAMETER, why), "r");
        let replaced = "\u{fffd}".repeat(5);
        assert!(xml.contains(&format!("<Message>a{replaced}b\t\n\u{85}\u{1f600}</Message>")), "{xml}");
    }

    #[test]
    fn refusals_say_who_is_to_blame() {
        let xml = refusal(&domain::queue::Refusal::QueueDoesNotExist.into(), "r");
        for part in [
            "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>",
            "<Message>The specified queue does not exist for this wsdl version.</Message>",
            "<RequestId>r</RequestId>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }
}
