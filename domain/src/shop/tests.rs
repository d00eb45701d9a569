//! What the decisions do to an order, its events and its stock.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::stock::{Count, Levels};
use super::*;
use crate::money::{Currency, Discount, Minor};
use crate::{Change, Entity, Event, Expect, Owner, Timestamp};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn shop() -> Owner {
    Owner::parse("acme").unwrap()
}

fn wanted(product: &str, quantity: i64, unit_price: i64) -> Wanted {
    Wanted { product_id: product.to_owned(), name: format!("a {product}"), quantity, unit_price }
}

fn draft(items: Vec<Wanted>) -> Draft {
    let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), None).unwrap();
    Draft { customer, items, currency: Currency::parse("GBP").unwrap(), discount: None, stated: None, note: None }
}

fn placed(items: Vec<Wanted>, counted: &[&str]) -> Choice {
    let content = Content::new(draft(items)).unwrap();
    let reference = Some("web-1".to_owned());
    let wish = Place { id: "o1".to_owned(), shop: shop(), content, external_reference: reference };
    place(wish, &products(counted), NOW).unwrap()
}

fn products(counted: &[&str]) -> BTreeSet<String> {
    counted.iter().map(|product| (*product).to_owned()).collect()
}

/// What becomes of the stock.
fn levels(change: &Change) -> Vec<(&str, i64)> {
    let of_stock = |name: &str| name.starts_with("stock:") || name.starts_with("reserved:");
    change.levels.iter().map(|moved| (moved.name.as_str(), moved.add)).filter(|(name, _)| of_stock(name)).collect()
}

/// The row that a change leaves.
fn row(choice: &Choice) -> Entity {
    let write = &choice.change.entities[0];
    Entity {
        kind: write.kind,
        id: write.id.clone(),
        version: write.expect.next_version(),
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: None,
        parent: None,
        body: write.body.clone(),
        created_seq: 1,
        created_at: choice.order.created_at,
        updated_at: choice.order.updated_at,
    }
}

#[test]
fn a_draft_is_added_up_exactly_or_refused_at_its_place() {
    let refused = |items: Vec<Wanted>| {
        let refusal = Content::new(draft(items)).unwrap_err();
        (refusal.code, refusal.pointer.unwrap_or_default().into_owned())
    };
    let one = || wanted("mug", 1, 5);
    for (quantity, unit_price, code, field) in [
        (0, 5, "QUANTITY_OUT_OF_RANGE", "quantity"),
        (-1, 5, "QUANTITY_OUT_OF_RANGE", "quantity"),
        (MOST_PIECES + 1, 5, "QUANTITY_OUT_OF_RANGE", "quantity"),
        (i64::MAX, 5, "QUANTITY_OUT_OF_RANGE", "quantity"),
        (1, -1, "PRICE_OUT_OF_RANGE", "unitPrice"),
        (1, 1_000_000_000_000_000, "PRICE_OUT_OF_RANGE", "unitPrice"),
        (1, i64::MIN, "PRICE_OUT_OF_RANGE", "unitPrice"),
    ] {
        let expected = (code, format!("/items/1/{field}"));
        assert_eq!(refused(vec![one(), wanted("mug", quantity, unit_price)]), expected, "{quantity} x {unit_price}");
    }
    let dear = wanted("gold", MOST_PIECES, HIGHEST_PRICE);
    assert_eq!(refused(vec![one(), dear]), ("TOTAL_OUT_OF_RANGE", "/items/1".to_owned()));
    let much = wanted("gold", 9_007, HIGHEST_PRICE);
    assert_eq!(refused(vec![much.clone(), much]), ("TOTAL_OUT_OF_RANGE", "/items".to_owned()));
    assert_eq!(refused(vec![]).0, "ITEM_COUNT");
    assert_eq!(refused(vec![one(); MOST_ITEMS + 1]), ("ITEM_COUNT", "/items".to_owned()));
    for id in ["", " mug", "mug\n", &"x".repeat(101)] {
        assert_eq!(refused(vec![wanted(id, 1, 5)]), ("PRODUCT_ID_MALFORMED", "/items/0/productId".to_owned()));
    }

    let discount = Some(Discount::Percentage { basis_points: 1_000 });
    let items = vec![wanted("mug", 3, 335), wanted("tea", 1, 4)];
    let content = Content::new(Draft { discount, ..draft(items) }).unwrap();
    let totals = content.totals();
    assert_eq!((totals.subtotal, totals.discount, totals.total).0.units(), 1_009);
    assert_eq!((totals.discount.units(), totals.total.units()), (101, 908));
    assert_eq!(content.items().iter().map(|item| item.total.units()).collect::<Vec<_>>(), [904, 4]);
}

#[test]
fn what_a_client_takes_the_total_to_be_must_be_the_total() {
    let stated = |stated| Content::new(Draft { stated: Minor::new(stated), ..draft(vec![wanted("mug", 2, 5)]) });
    assert!(stated(10).is_ok());
    assert_eq!(stated(11).unwrap_err().code, "TOTAL_PRICE_DIFFERS");
}

#[test]
fn an_order_is_read_back_as_it_was() {
    let choice = placed(vec![wanted("mug", 2, 1_250)], &["mug"]);
    assert_eq!(Order::from_entity(&row(&choice)).unwrap(), choice.order);
    let keys: Vec<_> = choice.change.keys.iter().map(|key| (key.scope.as_str(), key.key.as_str())).collect();
    assert_eq!(keys, [("shop.reference:acme", "web-1")]);
    let moved = move_to(&choice.order, Status::Completed, NOW).unwrap();
    let deleted = delete(&moved.order, NOW);
    assert_eq!((row(&deleted).status.as_str(), deleted.order.status), ("deleted", Status::Completed));
    assert_eq!(Order::from_entity(&row(&deleted)).unwrap(), deleted.order);
    assert!(is_deleted(&deleted.order.view_json()) && !is_deleted(&moved.order.view_json()));
}

#[test]
fn pieces_are_kept_once_per_product_and_go_back_once() {
    let items = vec![wanted("tea", 1, 4), wanted("mug", 2, 5), wanted("tea", 3, 4), wanted("uncounted", 1, 1)];
    let choice = placed(items, &["mug", "tea"]);
    let taken = [("reserved:acme/mug", 2), ("reserved:acme/tea", 4), ("stock:acme/mug", -2), ("stock:acme/tea", -4)];
    assert_eq!(levels(&choice.change), taken);

    let cancelled = move_to(&choice.order, Status::Cancelled, NOW).unwrap();
    assert_eq!(levels(&cancelled.change), taken.map(|(name, add)| (name, -add)));
    assert!(levels(&delete(&cancelled.order, NOW).change).is_empty());
    assert_eq!(levels(&delete(&choice.order, NOW).change), taken.map(|(name, add)| (name, -add)));

    let processing = move_to(&choice.order, Status::Processing, NOW).unwrap();
    assert!(levels(&processing.change).is_empty());
    let completed = move_to(&processing.order, Status::Completed, NOW).unwrap();
    assert_eq!(levels(&completed.change), [("reserved:acme/mug", -2), ("reserved:acme/tea", -4)]);
    assert!(levels(&delete(&completed.order, NOW).change).is_empty());

    // What was not counted when it was ordered is kept from the change on.
    let amendment =
        Amendment { items: Some(vec![wanted("tea", 5, 4), wanted("uncounted", 1, 1)]), ..Default::default() };
    let amended = amend(&choice.order, amendment, &products(&["mug", "tea", "uncounted"]), NOW).unwrap();
    let moves = [
        ("reserved:acme/mug", -2),
        ("reserved:acme/tea", 1),
        ("reserved:acme/uncounted", 1),
        ("stock:acme/mug", 2),
        ("stock:acme/tea", -1),
        ("stock:acme/uncounted", -1),
    ];
    assert_eq!(levels(&amended.change), moves);
    assert_eq!(amended.order.content.totals().total.units(), 21);

    // A note takes nothing, though more is counted by now.
    let noted = Amendment { note: Some(Some("at the door".to_owned())), ..Default::default() };
    for counted in [products(&["mug", "tea", "uncounted"]), products(&[])] {
        let noted = amend(&choice.order, noted.clone(), &counted, NOW).unwrap();
        assert!(levels(&noted.change).is_empty() && noted.order.held == choice.order.held);
    }
}

#[test]
fn a_state_that_cannot_follow_is_refused_with_those_that_can() {
    let order = placed(vec![wanted("mug", 1, 5)], &[]).order;
    let processing = move_to(&order, Status::Processing, NOW).unwrap().order;
    let refusal = move_to(&processing, Status::Pending, NOW).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer.as_deref()), ("WRONG_STATE", Some("/status")));
    assert!(refusal.message.contains("possible now: COMPLETED, CANCELLED"), "{}", refusal.message);
    assert_eq!(amend(&processing, Amendment::default(), &BTreeSet::new(), NOW).unwrap_err().code, "WRONG_STATE");
    let cancelled = move_to(&processing, Status::Cancelled, NOW).unwrap().order;
    assert!(move_to(&cancelled, Status::Cancelled, NOW).unwrap_err().message.contains("possible now: nothing"));
}

#[test]
fn the_largest_order_has_events_that_fit() {
    let note = |characters| Some("é".repeat(characters));
    let items = vec![wanted("0123456789", MOST_PIECES, 9_007_199); 62];
    let content = |characters| Content::new(Draft { note: note(characters), ..draft(items.clone()) }).unwrap();
    let wish = |content| Place { id: "x".repeat(36), shop: shop(), content, external_reference: None };
    let largest = (1..1_000).rev().find_map(|n| place(wish(content(n)), &BTreeSet::new(), NOW).ok()).unwrap();
    assert!(largest.order.view_json().len() > VIEW_LIMIT - 4);
    let refusal = place(wish(content(1_000)), &BTreeSet::new(), NOW).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer.as_deref()), ("ORDER_TOO_LARGE", Some("/items")));
    let other = Amendment {
        customer: Some(Customer::new("B".to_owned(), "b@example.org".to_owned(), None).unwrap()),
        items: Some(vec![wanted("9876543210", MOST_PIECES, 9_007_198); 62]),
        note: Some(note(400)),
        ..Default::default()
    };
    let amended = amend(&largest.order, other, &BTreeSet::new(), NOW).unwrap();
    let body = &amended.change.entities[0].event.as_ref().unwrap().body;
    assert!(body.len() <= Event::BODY_LIMIT, "{}", body.len());
    let read: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&read["actor"], &read["changed"]["customer"]["name"]), (&"acme".into(), &"Ada".into()));
}

#[test]
fn stock_is_set_and_moved_within_what_there_is() {
    let (acme, levels) = (shop(), Levels { available: 7, reserved: 3 });
    let count = |before: Option<&stock::Stock>, count| stock::count(before, (&acme, "mug"), (levels, count), NOW);
    let set = count(None, Count::Set(25)).unwrap();
    assert_eq!((set.stock.adjustment, set.change.entities[0].expect), (15, Expect::Absent));
    assert_eq!(super::tests::levels(&set.change), [("stock:acme/mug", 15)]);
    let added = count(Some(&set.stock), Count::Add(-7)).unwrap();
    assert_eq!(super::tests::levels(&added.change), [("stock:acme/mug", -7)]);
    assert!(count(None, Count::Set(10)).unwrap().change.levels.is_empty());
    for (wish, code) in [
        (Count::Set(2), "BELOW_RESERVED"),
        (Count::Set(-1), "QUANTITY_OUT_OF_RANGE"),
        (Count::Set(stock::MOST + 1), "QUANTITY_OUT_OF_RANGE"),
        (Count::Add(-8), "OUT_OF_STOCK"),
        (Count::Add(0), "QUANTITY_OUT_OF_RANGE"),
        (Count::Add(i64::MIN), "QUANTITY_OUT_OF_RANGE"),
    ] {
        assert_eq!(count(None, wish).unwrap_err().code, code, "{wish:?}");
    }
    assert_eq!(stock::product_of("stock:a/b/c"), Some("b/c"));
    assert_eq!(stock::product_of("reserved:a/b"), None);
}

proptest! {
    #[test]
    fn items_add_up_to_the_total_whatever_the_discount(
        items in prop::collection::vec((1..1_000_i64, 0..1_000_000_i64), 1..20),
        basis_points in 0..=10_000_u16,
        flat in 0..1_000_000_000_i64,
        is_flat: bool,
    ) {
        let items = items.into_iter().map(|(quantity, price)| wanted("mug", quantity, price)).collect();
        let discount = match is_flat {
            true => Discount::Flat { amount: Minor::new(flat).unwrap() },
            false => Discount::Percentage { basis_points },
        };
        let content = Content::new(Draft { discount: Some(discount), ..draft(items) }).unwrap();
        let sum: i64 = content.items().iter().map(|item| item.total.units()).sum();
        prop_assert_eq!(sum, content.totals().total.units());
        for item in content.items() {
            prop_assert!(item.total >= Minor::ZERO);
            prop_assert_eq!(item.total.units() + item.discount.units(), item.unit_price.units() * item.quantity);
        }
    }
}
