//! Patterns against the catalogue of event types.

use proptest::prelude::*;

use super::*;
use crate::{Owner, Timestamp};

fn event(type_: &str, changed: &[&str]) -> Event {
    let kind = event_types::find(type_).expect("a type").kind;
    let changed: serde_json::Map<_, _> = changed.iter().map(|name| ((*name).to_owned(), 1.into())).collect();
    let body = serde_json::json!({"id": "1", "changed": changed}).to_string();
    let (owner, at) = (Owner::default(), Timestamp(0));
    Event { seq: 1, kind, id: "1".into(), version: 2, type_: type_.into(), owner, party: None, body, at }
}

#[test]
fn patterns_want_what_they_say() {
    for (pattern, type_, changed, wanted) in [
        ("*", "swap.confirmed", &[][..], true),
        ("*", "webhook.endpoint.disabled", &[], true),
        ("deal.*", "deal.created", &[], true),
        ("deal.*", "bid.offered", &[], false),
        ("deal.updated", "deal.updated", &[], true),
        ("deal.updated", "deal.created", &[], false),
        ("deal.updated.*", "deal.updated", &["name"], true),
        ("deal.updated.*", "deal.updated", &[], false),
        ("deal.updated.totalPrice", "deal.updated", &["name", "totalPrice"], true),
        ("deal.updated.totalPrice", "deal.updated", &["name"], false),
        ("deal.updated.totalPrice", "deal.created", &["totalPrice"], false),
        ("webhook.endpoint.disabled", "webhook.endpoint.disabled", &[], true),
    ] {
        let (pattern, event) = (Pattern::parse(pattern).unwrap(), event(type_, changed));
        assert_eq!(pattern.wants(&News::of(&event).unwrap()), wanted, "{pattern} {type_} {changed:?}");
    }
}

#[test]
fn webhooks_tell_of_the_trade_and_of_disabled_endpoints_only() {
    for one in event_types::ALL {
        let told = News::of(&event(one.name, &[])).is_some();
        assert_eq!(told, one.is_for_webhooks(), "{}", one.name);
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_what_there_is() {
    let long = format!("deal.updated.{}", "x".repeat(65));
    for bad in
        ["", ".", "**", "*.*", "deal", "deals.*", "key.*", "key.created", "webhook.*", "webhook.endpoint.created"]
    {
        let said = Pattern::parse(bad).unwrap_err();
        assert!(said.contains("deal.created") && said.contains("webhook.endpoint.disabled"), "{bad}: {said}");
        assert!(!said.contains("key.created,"), "{bad}: {said}");
    }
    for bad in ["deal.updated.", "deal.updated.a b", "deal.updated.a.b", "deal.updated.é", &long] {
        assert!(Pattern::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn patterns_read_back_as_they_are_written(index in 0..event_types::ALL.len(), field in "[A-Za-z0-9]{1,64}", form in 0..4) {
        let one = &event_types::ALL[index];
        let text = match form {
            0 => one.name.to_owned(),
            1 => format!("{}.*", one.name),
            2 => format!("{}.{field}", one.name),
            _ => format!("{}.*", one.kind),
        };
        match Pattern::parse(&text) {
            Ok(pattern) => {
                prop_assert!(one.is_for_webhooks());
                prop_assert_eq!(pattern.to_string(), text);
                // A field's pattern wants that field and no other; the rest want it too.
                let (with, without) = (event(one.name, &[&field]), event(one.name, &["another_one"]));
                prop_assert!(pattern.wants(&News::of(&with).unwrap()));
                prop_assert_eq!(pattern.wants(&News::of(&without).unwrap()), form != 2);
            }
            Err(_) => prop_assert!(!one.is_for_webhooks() || !one.business),
        }
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in ".{0,100}") {
        let _ = Pattern::parse(&text);
    }
}

#[test]
fn a_kind_of_two_words_is_asked_for_like_any_other() {
    let updated = "shop.order.updated";
    for (text, expected) in [
        ("shop.order.*", Pattern::Kind(Kind::ShopOrder)),
        ("shop.stock.*", Pattern::Kind(Kind::Stock)),
        (updated, Pattern::Type(updated)),
        ("shop.order.updated.*", Pattern::AnyField(updated)),
        ("shop.order.updated.status", Pattern::Field(updated, "status".to_owned())),
    ] {
        assert_eq!(Pattern::parse(text), Ok(expected), "{text}");
    }
    for unknown in ["shop.*", "shop.order", "shop.order.created.", "shop"] {
        assert!(Pattern::parse(unknown).is_err(), "{unknown}");
    }
}
