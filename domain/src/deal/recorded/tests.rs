//! Views and events as this program writes them, and what becomes of them.

use super::*;
use crate::deal::{self, Draft, Item, Post, Price, Terms};
use crate::money::{Currency, Discount, Minor};
use crate::{Owner, view};

const VIEW: &str = r#"{"id":"0190","version":1,"status":"available","sellerId":"seller1","name":"a deal","currency":"GBP","items":[{"id":"i1","name":"Bundle","price":-100}],"discount":{"type":"percentage","basisPoints":1250},"subtotal":100,"discountAmount":12,"totalPrice":88,"createdAt":"2024-06-17T05:30:12.520999Z","updatedAt":"2024-06-17T05:30:12.520999Z"}"#;

fn event(type_: &str, before: Option<&str>, after: &str) -> Event {
    Event {
        seq: 9,
        kind: Kind::Deal,
        id: "0190".to_owned(),
        version: 1,
        type_: type_.to_owned(),
        owner: Owner::default(),
        party: None,
        body: view::event_body(before, after, &Owner::default()),
        at: Timestamp(0),
    }
}

fn later(from: &str, to: &str) -> String {
    let after =
        VIEW.replace(from, to).replace(r#""updatedAt":"2024-06-17T05:30:12"#, r#""updatedAt":"2024-06-18T05:30:12"#);
    assert_ne!(after, VIEW);
    after
}

#[test]
fn answers_have_the_recorded_fields_in_the_recorded_order() {
    let posted = r#"{"name":"a deal","totalPrice":88,"currency":"GBP","discount":{"type":"percentage","amount":12.5},"status":"available","id":"0190","sellerId":"seller1","createdAt":"2024-06-17T05:30:12.520Z","updatedAt":"2024-06-17T05:30:12.520Z","items":[{"id":"i1","name":"Bundle","price":-100}]}"#;
    assert_eq!(created(VIEW).unwrap(), posted);
    let changed = r#"{"id":"0190","sellerId":"seller1","name":"a deal","totalPrice":88,"currency":"GBP","status":"sold","createdAt":"2024-06-17T05:30:12.520Z","updatedAt":"2024-06-17T05:30:12.520Z","items":[{"id":"i1","name":"Bundle","price":-100}]}"#;
    let without =
        VIEW.replace(r#""discount":{"type":"percentage","basisPoints":1250},"#, "").replace("available", "sold");
    assert_eq!(updated(&without).unwrap(), changed);
    let seen = r#"{"id":"0190","name":"a deal","totalPrice":88,"currency":"GBP","status":"available","sellerId":"seller1","createdAt":"2024-06-17T05:30:12.520Z","updatedAt":"2024-06-17T05:30:12.520Z","deliverySequence":99999999}"#;
    assert_eq!(listed(VIEW, 99_999_999).unwrap(), seen);
}

#[test]
fn discounts_are_numbers() {
    for (points, shown) in [(1_000, "10"), (1_250, "12.5"), (1, "0.01"), (-5, "-0.05"), (10_000, "100"), (0, "0")] {
        assert_eq!(per_cent(points), shown);
    }
    let listed = VIEW.replace(r#""basisPoints":1250"#, r#""amount":33.330"#);
    assert!(created(&listed).unwrap().contains(r#""discount":{"type":"percentage","amount":33.330}"#));
    let flat = VIEW.replace(r#""percentage","basisPoints":1250"#, r#""flat","amount":500"#);
    assert!(created(&flat).unwrap().contains(r#""discount":{"type":"flat","amount":500}"#));
}

#[test]
fn four_states_show_as_two() {
    for (ours, theirs) in
        [("available", "available"), ("reserved", "available"), ("sold", "sold"), ("withdrawn", "sold")]
    {
        let view = VIEW.replace("available", ours);
        assert!(updated(&view).unwrap().contains(&format!(r#""status":"{theirs}""#)), "{ours}");
    }
    assert!(updated(&VIEW.replace("available", "lost")).is_err());
}

#[test]
fn messages_are_the_answers() {
    let posted = event("deal.created", None, VIEW);
    assert_eq!(published(&posted).unwrap(), Some(("deal.created", created(VIEW).unwrap())));
    let after = later("a deal", "another");
    let changed = event("deal.updated", Some(VIEW), &after);
    assert_eq!(published(&changed).unwrap(), Some(("deal.updated", updated(&after).unwrap())));
    let bid = Event { kind: Kind::Bid, type_: "bid.offered".to_owned(), ..posted };
    assert_eq!(published(&bid).unwrap(), None);
}

#[test]
fn webhooks_get_the_deal_or_what_it_was_and_is() {
    let posted = event("deal.created", None, VIEW);
    let whole = format!("{{\"deal\":{}}}", listed(VIEW, 7).unwrap());
    for pattern in ["deal.*", "deal.created", "*"] {
        assert_eq!(webhook_payload(pattern, &posted, 7), Some(whole.clone()), "{pattern}");
    }
    let after = later(r#""totalPrice":88"#, r#""totalPrice":90"#);
    let changed = event("deal.updated", Some(VIEW), &after);
    let whole = format!("{{\"deal\":{}}}", listed(&after, 7).unwrap());
    let (was, now) = (listed(VIEW, 7).unwrap(), listed(&after, 7).unwrap());
    let both = format!("{{\"was\":{was},\"now\":{now}}}");
    for (pattern, payload) in [
        ("deal.updated", Some(&whole)),
        ("deal.*", Some(&whole)),
        ("deal.updated.*", Some(&both)),
        ("deal.updated.totalPrice", Some(&both)),
        ("deal.updated.status", None),
        ("deal.updated.updatedAt", None),
    ] {
        assert_eq!(webhook_payload(pattern, &changed, 7).as_ref(), payload, "{pattern}");
    }
}

#[test]
fn what_the_other_system_has_no_word_for_is_no_change_of_a_field() {
    let after = later("available", "reserved");
    let reserved = event("deal.updated", Some(VIEW), &after);
    assert_eq!(webhook_payload("deal.updated.status", &reserved, 7), None);
    assert_eq!(webhook_payload("deal.updated.*", &reserved, 7), None);
    assert!(webhook_payload("deal.updated", &reserved, 7).is_some_and(|body| body.contains(r#""status":"available""#)));
    let withdrawn = event("deal.updated", Some(VIEW), &later("available", "withdrawn"));
    assert!(
        webhook_payload("deal.updated.status", &withdrawn, 7).is_some_and(|body| body.contains(r#""status":"sold""#))
    );
    let invoice = Event { kind: Kind::Invoice, ..reserved };
    assert_eq!(webhook_payload("*", &invoice, 7), None);
}

#[test]
fn what_is_put_goes_through_the_one_table() {
    let terms = |name: &str, total| {
        let item = Item { id: "i1".to_owned(), name: "Bundle".to_owned(), price: Minor::new(-5).unwrap() };
        let price = Price::Listed { total: Minor::new(total).unwrap(), discount: None };
        let currency = Currency::parse("GBP").unwrap();
        Terms::new(Draft { name: name.to_owned(), currency, items: vec![item], price }).unwrap()
    };
    let post = Post { id: "d".to_owned(), seller: Owner::default(), terms: terms("a", 1), sold: false };
    let available = deal::post(post, Timestamp(0)).unwrap().deal;
    let (same, other) = (terms("a", 1), terms("b", -2));
    let decided = |deal: &deal::Deal, terms: &Terms, status| put(deal, terms.clone(), status, Timestamp(1_000));
    let put = |deal, terms, status| {
        decided(deal, terms, status).map(|put| if let Put::Changed(choice) = put { Some(choice.deal) } else { None })
    };
    let changed = put(&available, &other, Status::Available).unwrap().unwrap();
    assert_eq!((changed.terms.name(), changed.version, changed.status), ("b", 2, deal::Status::Available));
    let sold = put(&available, &same, Status::Sold).unwrap().unwrap();
    assert_eq!((sold.version, sold.status), (2, deal::Status::Sold));
    // Nothing follows a sale, and to say the same again changes nothing.
    assert_eq!(put(&sold, &same, Status::Sold).unwrap(), None);
    for (terms, status) in [(&same, Status::Available), (&other, Status::Sold)] {
        assert_eq!(put(&sold, terms, status).unwrap_err().code, "WRONG_STATE");
    }
    let reservation =
        deal::Reservation { bid_id: "b".to_owned(), buyer: Owner::default(), amount: Minor::new(7).unwrap() };
    let reserved = deal::reserve(&available, reservation, Timestamp(0)).unwrap().deal;
    assert_eq!(decided(&reserved, &same, Status::Available), Ok(Put::AsItIs));
    assert_eq!(decided(&reserved, &same, Status::Sold), Ok(Put::Sale));
    assert_eq!(put(&reserved, &other, Status::Available).unwrap_err().code, "WRONG_STATE");
    let withdrawn = deal::withdraw(&available, Timestamp(0)).unwrap().deal;
    assert_eq!(put(&withdrawn, &same, Status::Sold).unwrap().unwrap().status, deal::Status::Withdrawn);
    assert_eq!(put(&withdrawn, &other, Status::Available).unwrap().unwrap().status, deal::Status::Available);
}

#[test]
fn a_computed_price_stays_computed_when_nothing_is_changed() {
    let item = Item { id: "i1".to_owned(), name: "Bundle".to_owned(), price: Minor::new(1_000).unwrap() };
    let discount = Some(Discount::Percentage { basis_points: 1_250 });
    let draft = |price| Draft {
        name: "a".to_owned(),
        currency: Currency::parse("GBP").unwrap(),
        items: vec![item.clone()],
        price,
    };
    let terms = Terms::new(draft(Price::Computed { discount, stated: None })).unwrap();
    let before = deal::post(Post { id: "d".to_owned(), seller: Owner::default(), terms, sold: false }, Timestamp(0))
        .unwrap()
        .deal;
    let put = |total| {
        let discount = deal::ListedDiscount::new(true, "12.5");
        let terms = Terms::new(draft(Price::Listed { total: Minor::new(total).unwrap(), discount })).unwrap();
        let Put::Changed(choice) = put(&before, terms, Status::Sold, Timestamp(1)).unwrap() else {
            panic!("nothing is changed")
        };
        choice.deal
    };
    assert_eq!(put(875).terms, before.terms);
    assert_eq!((put(800).terms.total().units(), put(800).terms.totals()), (800, None));
}
