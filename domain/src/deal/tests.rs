//! What the decisions do to a deal, its events and its jobs.

use serde_json::Value;

use super::*;
use crate::money::{Currency, Discount, Minor};
use crate::{Entity, Event, Expect, Owner, Timestamp, bid};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn owner(name: &str) -> Owner {
    Owner::parse(name).unwrap()
}

fn minor(units: i64) -> Minor {
    Minor::new(units).unwrap()
}

fn item(id: u32, name: &str, price: i64) -> Item {
    Item { id: format!("00000000-0000-4000-8000-{id:012}"), name: name.to_owned(), price: minor(price) }
}

fn computed(items: Vec<Item>, discount: Option<Discount>, stated: Option<i64>) -> Draft {
    let price = Price::Computed { discount, stated: stated.map(minor) };
    Draft { name: "A pair of chairs".to_owned(), currency: Currency::parse("GBP").unwrap(), items, price }
}

fn terms(discount: Option<Discount>) -> Terms {
    Terms::new(computed(vec![item(1, "Chair", 10_001), item(2, "Table", 5_000)], discount, None)).unwrap()
}

fn posted(terms: Terms) -> Choice {
    let id = "0198c0de-0000-7000-8000-000000000001".to_owned();
    post(Post { id, seller: owner("acme"), terms, sold: false }, NOW).unwrap()
}

fn stored(choice: &Choice) -> Entity {
    let write = &choice.change.entities[0];
    Entity {
        kind: write.kind,
        id: write.id.clone(),
        version: write.expect.next_version(),
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: write.party.clone(),
        parent: write.parent.clone(),
        body: write.body.clone(),
        created_seq: 1,
        created_at: NOW,
        updated_at: choice.change.at,
    }
}

fn event(choice: &Choice) -> (&'static str, Value) {
    let event = choice.change.entities[0].event.as_ref().unwrap();
    (event.type_, serde_json::from_str(&event.body).unwrap())
}

#[test]
fn a_life_from_posted_to_sold() {
    let choice = posted(terms(Some(Discount::Percentage { basis_points: 1_000 })));
    insta::assert_snapshot!("created", choice.change.entities[0].event.as_ref().unwrap().body);
    assert_eq!(choice.change.entities[0].expect, Expect::Absent);
    assert_eq!(Deal::from_entity(&stored(&choice)).unwrap(), choice.deal);

    let later = NOW.plus_millis(1);
    let choice = update(&choice.deal, terms(Some(Discount::Flat { amount: minor(1) })), later).unwrap();
    insta::assert_snapshot!("updated", choice.change.entities[0].event.as_ref().unwrap().body);
    let reservation = Reservation { bid_id: "b".to_owned(), buyer: owner("bob"), amount: minor(14_000) };
    let choice = reserve(&choice.deal, reservation.clone(), later).unwrap();
    let (type_, body) = event(&choice);
    assert_eq!(
        (type_, &body["status"], &body["changed"]["status"]),
        ("deal.updated", &"reserved".into(), &"available".into())
    );
    assert!(!body.to_string().contains("bob"), "who else bids is nobody's business");
    assert_eq!(Deal::from_entity(&stored(&choice)).unwrap().reservation, Some(reservation.clone()));
    assert_eq!(update(&choice.deal, terms(None), later).unwrap_err().code, "WRONG_STATE");
    assert_eq!(release(&choice.deal, later).unwrap().deal.reservation, None);
    assert!(choice.change.jobs.is_empty());

    let choice = sell(&choice.deal, Sale { invoice_id: Some("i".to_owned()) }, later).unwrap();
    assert_eq!((choice.deal.status, &choice.deal.reservation), (Status::Sold, &Some(reservation)));
    assert_eq!(choice.change.jobs, [bid::close_all(&choice.deal.id, later)]);
    let refusal = relist(&choice.deal, later).unwrap_err();
    assert_eq!(refusal.message, "relist is not possible: the deal is sold; possible now: nothing");
    assert_eq!(crate::view::of_event(&choice.change.entities[0].event.as_ref().unwrap().body), choice.deal.view_json());
}

#[test]
fn a_withdrawn_deal_closes_its_bids_and_can_come_back() {
    let deal = posted(terms(None)).deal;
    let withdrawn = withdraw(&deal, NOW).unwrap();
    assert_eq!((withdrawn.deal.closed, withdrawn.change.jobs.len()), (Some(2), 1));
    let relisted = relist(&withdrawn.deal, NOW).unwrap();
    assert_eq!(
        (relisted.deal.closed, relisted.change.jobs.len(), relisted.deal.status),
        (Some(2), 0, Status::Available)
    );
}

#[test]
fn totals_are_the_servers_and_a_client_that_differs_is_told_both() {
    let items = || vec![item(1, "Chair", 10_001), item(2, "Table", 5_000)];
    let ten_percent = Some(Discount::Percentage { basis_points: 1_000 });
    let right = Terms::new(computed(items(), ten_percent, Some(13_501))).unwrap();
    assert_eq!(right.total(), minor(13_501));
    assert_eq!(right.shares(), [minor(1_000), minor(500)]);
    let refusal = Terms::new(computed(items(), ten_percent, Some(13_500))).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer.as_deref()), ("TOTAL_PRICE_DIFFERS", Some("/totalPrice")));
    assert!(refusal.message.contains("13500") && refusal.message.contains("13501"), "{refusal}");
}

#[test]
fn a_listed_price_is_kept_as_it_came() {
    let discount = ListedDiscount::new(true, "12.50");
    let price = Price::Listed { total: minor(-5), discount: discount.clone() };
    let draft = Draft { name: String::new(), price, ..computed(vec![item(1, "", -7)], None, None) };
    let choice = posted(Terms::new(draft).unwrap());
    let read = Deal::from_entity(&stored(&choice)).unwrap();
    assert_eq!(read, choice.deal);
    let view = read.view_json();
    assert!(view.contains(r#""discount":{"type":"percentage","amount":12.50},"totalPrice":-5"#), "{view}");
    for bad in ["", "x", "1e999", "NaN", "\"1\"", &"1".repeat(40), "1}"] {
        assert_eq!(ListedDiscount::new(false, bad), None, "{bad}");
    }
}

#[test]
fn bad_terms_are_refused_with_the_field() {
    let at = |draft: Draft| Terms::new(draft).map(|_| ()).map_err(|r| (r.code, r.pointer.unwrap()));
    let one = || vec![item(1, "Chair", 1)];
    let named = |name: &str| Draft { name: name.to_owned(), ..computed(one(), None, None) };
    assert_eq!(at(named("")), Err(("NAME_MALFORMED", "/name".into())));
    assert_eq!(at(named(&"ä".repeat(201))), Err(("NAME_MALFORMED", "/name".into())));
    assert_eq!(at(named("a\u{0}b")), Err(("NAME_MALFORMED", "/name".into())));
    assert_eq!(at(named(&"ä".repeat(200))), Ok(()));
    assert_eq!(at(computed(Vec::new(), None, None)), Err(("ITEM_COUNT", "/items".into())));
    let many = (0..101).map(|id| item(id, "x", 1)).collect();
    assert_eq!(at(computed(many, None, None)), Err(("ITEM_COUNT", "/items".into())));
    assert_eq!(at(computed(vec![item(1, "x", -1)], None, None)), Err(("PRICE_OUT_OF_RANGE", "/items".into())));
    assert_eq!(
        at(computed(vec![item(1, "x", 1), item(1, "y", 1)], None, None)),
        Err(("DUPLICATE_ITEM_ID", "/items".into()))
    );
    let most = vec![item(1, "x", Minor::LIMIT), item(2, "y", 1)];
    assert_eq!(at(computed(most, None, None)), Err(("TOTAL_OUT_OF_RANGE", "/items".into())));
    let discount = Some(Discount::Percentage { basis_points: 10_001 });
    assert_eq!(at(computed(one(), discount, None)), Err(("DISCOUNT_OUT_OF_RANGE", "/discount".into())));
    let discount = Some(Discount::Flat { amount: minor(-1) });
    assert_eq!(at(computed(one(), discount, None)), Err(("DISCOUNT_OUT_OF_RANGE", "/discount".into())));
}

#[test]
fn the_largest_deal_changed_into_another_fits_into_an_event() {
    let seller = Owner::parse(&"s".repeat(64)).unwrap();
    let attempt = |letter: char, items: u32| {
        let name: String = std::iter::repeat_n(letter, 20).collect();
        let draft = computed((0..items).map(|id| item(id, &name, 1)).collect(), None, None);
        post(Post { id: "i".repeat(36), seller: seller.clone(), terms: Terms::new(draft).unwrap(), sold: false }, NOW)
    };
    let largest = |letter| (1..100).rev().find_map(|items| attempt(letter, items).ok()).unwrap().deal;
    let refusal = attempt('a', 100).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer.as_deref()), ("DEAL_TOO_LARGE", Some("/items")));
    let choice = update(&largest('a'), largest('b').terms, NOW).unwrap();
    let body = &choice.change.entities[0].event.as_ref().unwrap().body;
    assert!(body.len() <= Event::BODY_LIMIT && body.len() > Event::BODY_LIMIT / 8 * 7, "{}", body.len());
}
