//! What an invoice says of a sale.

use super::decide::{Issue, issue};
use super::*;
use crate::deal::{Deal, Draft, Item, Post, Price, Reservation, Terms, post, reserve};
use crate::money::{Currency, Discount, Minor};
use crate::{Entity, Event, Expect, Kind, Owner, Timestamp};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn minor(units: i64) -> Minor {
    Minor::new(units).unwrap()
}

fn sold(items: Vec<Item>, discount: Option<Discount>) -> Option<Deal> {
    let price = Price::Computed { discount, stated: None };
    let draft = Draft { name: "Chairs".to_owned(), currency: Currency::parse("KWD").unwrap(), items, price };
    let (id, seller) = ("d".repeat(36), Owner::parse(&"s".repeat(64)).unwrap());
    post(Post { id, seller, terms: Terms::new(draft).unwrap(), sold: false }, NOW).ok().map(|choice| choice.deal)
}

fn item(id: usize, name: &str, price: i64) -> Item {
    Item { id: format!("{id:036}"), name: name.to_owned(), price: minor(price) }
}

fn of(deal: &Deal, amount: i64) -> Issue<'_> {
    let buyer = Owner::parse(&"b".repeat(64)).unwrap();
    Issue { id: "i".repeat(36), deal, buyer, amount: minor(amount), bid_id: Some("b".repeat(36)) }
}

#[test]
fn the_lines_add_up_to_what_was_agreed() {
    let deal =
        sold(vec![item(1, "Chair", 100), item(2, "Table", 50)], Some(Discount::Flat { amount: minor(10) })).unwrap();
    let (invoice, writes) = issue(of(&deal, 150), Book::of(None), NOW).unwrap();
    insta::assert_snapshot!("issued", writes[0].event.as_ref().unwrap().body);
    let amounts: Vec<i64> = invoice.lines.iter().map(|line| line.amount.units()).collect();
    assert_eq!(amounts, [93, 47, 10]);
    assert_eq!((invoice.number, writes[1].expect, writes[1].event.is_none()), (1, Expect::Absent, true));

    let entity = |write: &crate::EntityWrite, version| Entity {
        kind: write.kind,
        id: write.id.clone(),
        version,
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: write.party.clone(),
        parent: write.parent.clone(),
        body: write.body.clone(),
        created_seq: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    assert_eq!(Invoice::from_entity(&entity(&writes[0], 1)).unwrap(), invoice);
    let book = entity(&writes[1], 7);
    assert_eq!((book.kind, book.id.as_str()), (Kind::InvoiceBook, invoice.seller.as_str()));
    let (eighth, writes) = issue(of(&deal, 140), Book::of(Some(&book)), NOW).unwrap();
    assert_eq!((eighth.number, writes[1].expect, eighth.lines.len()), (8, Expect::Version(7), 2));
}

#[test]
fn the_largest_deals_invoice_fits_into_an_event() {
    for (digits, letters) in [(15, 1), (1, 1), (13, 10), (1, 20), (15, 200)] {
        let price = 10_i64.pow(digits) / 1_000 + 7;
        let name = "x".repeat(letters);
        let deal = |items| {
            let items = (0..items).map(|id| item(id, &name, price)).collect();
            sold(items, Some(Discount::Percentage { basis_points: 4_999 }))
        };
        let deal = (1..100).rev().find_map(deal).unwrap();
        let (_, writes) = issue(of(&deal, 9_007_199_254_740_991), Book::of(None), NOW).unwrap();
        let body = &writes[0].event.as_ref().unwrap().body;
        assert!(body.len() <= Event::BODY_LIMIT, "{digits} digits, {letters} letters: {}", body.len());
    }
}

#[test]
fn a_deal_is_sold_to_whom_it_is_reserved_for_or_to_whom_its_seller_says() {
    let deal = sold(vec![item(1, "Chair", 100)], None).unwrap();
    let (buyer, other) = (Owner::parse("bob").unwrap(), Owner::parse("eve").unwrap());
    let sell = |deal: &Deal, to: Option<&Owner>| sell(deal, ("i".to_owned(), Book::of(None)), to, NOW);
    let refused = |deal: &Deal, to: Option<&Owner>| sell(deal, to).unwrap_err().code;
    assert_eq!(refused(&deal, None), "BUYER_REQUIRED");
    assert_eq!(refused(&deal, Some(&deal.seller)), "OWN_ACCOUNT");
    let direct = sell(&deal, Some(&other)).unwrap();
    assert_eq!(
        (direct.invoice.total, direct.invoice.bid_id.as_ref(), direct.change.entities.len()),
        (minor(100), None, 3)
    );

    let reservation = Reservation { bid_id: "b".to_owned(), buyer: buyer.clone(), amount: minor(90) };
    let reserved = reserve(&deal, reservation, NOW).unwrap().deal;
    assert_eq!(refused(&reserved, Some(&other)), "ANOTHER_BUYER");
    let agreed = sell(&reserved, None).unwrap();
    assert_eq!(
        (agreed.invoice.buyer, agreed.invoice.total, agreed.deal.invoice_id),
        (buyer, minor(90), Some("i".to_owned()))
    );
    assert_eq!(refused(&direct.deal, Some(&other)), "WRONG_STATE");
}
