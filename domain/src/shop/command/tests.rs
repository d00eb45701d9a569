//! Commands as clients send them.

use super::*;

const ID: &str = "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01";

fn created(data: &str) -> Result<Command, Refusal> {
    Command::parse(&format!(r#"{{"type":"CREATE","orderId":"{ID}","timestamp":"x","data":{data}}}"#))
}

fn object(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn order(item: &str) -> String {
    format!(r#"{{"customer_name":"Ada","customer_email":"ada@example.org","items":[{item}]}}"#)
}

#[test]
fn the_recorded_words_are_understood_and_decimals_are_exact() {
    let item = r#"{"product_id":"p","product_name":"Mug","quantity":3,"unit_price":19.99}"#;
    let Ok(Command::Create { id, content, external_reference: None }) = created(&order(item)) else {
        panic!("refused")
    };
    assert_eq!((id.as_deref(), content.totals().total.units(), content.currency().code()), (Some(ID), 5_997, "USD"));
    let update = format!(r#"{{"type":"UPDATE","orderId":"{ID}","data":{{"status":"COMPLETED"}}}}"#);
    assert_eq!(Command::parse(&update), Ok(Command::Update { id: ID.to_owned(), status: Status::Completed }));
    let delete = format!(r#"{{"type":"DELETE","orderId":"{ID}","data":{{}}}}"#);
    assert_eq!(Command::parse(&delete), Ok(Command::Delete { id: ID.to_owned() }));
}

#[test]
fn what_cannot_be_done_is_refused_at_its_place() {
    let line = |quantity: &str, price: &str| {
        order(&format!(r#"{{"product_id":"p","product_name":"Mug","quantity":{quantity},"unit_price":{price}}}"#))
    };
    for (data, code, pointer) in [
        ("{}".to_owned(), "FIELD_MISSING", "/data/customer_name"),
        ("5".to_owned(), "COMMAND_MALFORMED", "/data"),
        (order("{}"), "FIELD_MISSING", "/data/items/0/unit_price"),
        (line("1", "1.999"), "PRICE_OUT_OF_RANGE", "/data/items/0/unit_price"),
        (line("1", "-1"), "PRICE_OUT_OF_RANGE", "/data/items/0/unit_price"),
        (line("1", "1e400"), "PRICE_OUT_OF_RANGE", "/data/items/0/unit_price"),
        (line("1", "\"5\""), "PRICE_OUT_OF_RANGE", "/data/items/0/unit_price"),
        (line("1.5", "1"), "COMMAND_MALFORMED", "/data/items/0"),
        (line("0", "1"), "QUANTITY_OUT_OF_RANGE", "/items/0/quantity"),
    ] {
        let refusal = created(&data).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), (code, Some(pointer)), "{data}");
    }
    for (text, code) in [
        ("", "COMMAND_MALFORMED"),
        ("[]", "COMMAND_MALFORMED"),
        ("{}", "FIELD_MISSING"),
        (r#"{"type":"create"}"#, "UNKNOWN_CHOICE"),
        (r#"{"type":"DELETE"}"#, "FIELD_MISSING"),
        (r#"{"type":"DELETE","orderId":"x"}"#, "ORDER_ID_MALFORMED"),
        (r#"{"type":"UPDATE","orderId":"0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01"}"#, "FIELD_MISSING"),
    ] {
        assert_eq!(Command::parse(text).unwrap_err().code, code, "{text}");
    }
}

#[test]
fn what_is_told_is_json_in_the_orders_group() {
    let event = EventDraft { type_: "shop.order.created", body: r#"{"id":"1"}"#.to_owned() };
    let source = Source { message_id: "m".to_owned(), group: "g".to_owned() };
    let told = changed(ID, 3, &event, Some(&source), Timestamp(0));
    let body = object(&told.body);
    assert_eq!((&body["data"]["id"], &body["command"]["messageId"]), (&"1".into(), &"m".into()));
    assert_eq!((told.group.as_deref(), told.dedup), (Some(ID), Some(format!("{ID}:3"))));
    let refusal = Refusal::at("/items", "OUT_OF_STOCK", "a\nb");
    assert_eq!(object(&refused(&source, &refusal, Timestamp(0)).body)["reason"]["code"], "OUT_OF_STOCK");
    assert_eq!(reason(&refusal).value, Value::Text("OUT_OF_STOCK at /items: a b".to_owned()));
}
