//! Issues an invoice, and counts it in the seller's book in the same change: so there are no gaps.

use super::{Invoice, Line, STATUS};
use crate::deal::{self, Deal, Sale};
use crate::money::Minor;
use crate::view::event_body;
use crate::{Change, Entity, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp};

/// How many invoices a seller has issued: the version of its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Book(u64);

impl Book {
    /// A seller's book as the journal has it.
    #[must_use]
    pub fn of(entity: Option<&Entity>) -> Self {
        Self(entity.map_or(0, |entity| entity.version))
    }
}

/// What is to be invoiced.
pub(super) struct Issue<'a> {
    pub(super) id: String,
    pub(super) deal: &'a Deal,
    pub(super) buyer: Owner,
    pub(super) amount: Minor,
    pub(super) bid_id: Option<String>,
}

/// A deal that was sold, its invoice, and the one change that makes both so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The deal as it will be.
    pub deal: Deal,
    /// The document.
    pub invoice: Invoice,
    /// What the journal is to apply.
    pub change: Change,
}

/// Sells a reserved deal to the buyer that it is reserved for at the agreed price, or an available one `to` a buyer at its
/// total price, and issues the invoice, which has the id given with its seller's book. Whether that buyer may see the deal is
/// for the caller to judge.
///
/// # Errors
/// `WRONG_STATE`, `BUYER_REQUIRED`, `ANOTHER_BUYER`, `OWN_ACCOUNT`, `TOTAL_OUT_OF_RANGE`.
pub fn sell(deal: &Deal, (id, book): (String, Book), to: Option<&Owner>, now: Timestamp) -> Result<Sold, Refusal> {
    let sold = deal::sell(deal, Sale { invoice_id: Some(id.clone()) }, now)?;
    let (buyer, amount, bid_id) = match (&deal.reservation, to) {
        (Some(reservation), Some(to)) if reservation.buyer != *to => {
            return Err(Refusal::at("/buyerId", "ANOTHER_BUYER", "the deal is reserved for another buyer"));
        }
        (Some(reservation), _) => (reservation.buyer.clone(), reservation.amount, Some(reservation.bid_id.clone())),
        (None, Some(to)) if *to == deal.seller => {
            return Err(Refusal::at("/buyerId", "OWN_ACCOUNT", "a seller does not buy its own deals"));
        }
        (None, Some(to)) => (to.clone(), deal.terms.total(), None),
        (None, None) => {
            let text = "the deal is not reserved: say to whom it is sold";
            return Err(Refusal::at("/buyerId", "BUYER_REQUIRED", text));
        }
    };
    if amount < Minor::ZERO {
        return Err(Refusal::new("TOTAL_OUT_OF_RANGE", "nobody owes less than nothing"));
    }
    let (invoice, writes) = issue(Issue { id, deal, buyer, amount, bid_id }, book, now)?;
    let mut change = sold.change;
    change.entities.extend(writes);
    Ok(Sold { deal: sold.deal, invoice, change })
}

/// Issues an invoice: itself, and the rows that belong into the change of the sale.
pub(super) fn issue(issue: Issue<'_>, book: Book, now: Timestamp) -> Result<(Invoice, [EntityWrite; 2]), Refusal> {
    let Issue { id, deal, buyer, amount, bid_id } = issue;
    let invoice = Invoice {
        id,
        seller: deal.seller.clone(),
        buyer,
        deal: deal.id.clone(),
        number: book.0 + 1,
        deal_name: deal.terms.name().to_owned(),
        bid_id,
        currency: deal.terms.currency(),
        lines: lines(deal, amount).unwrap_or_else(|| vec![whole(deal, amount)]),
        total: amount,
        issued_at: now,
    };
    let document = EntityWrite {
        kind: Kind::Invoice,
        id: invoice.id.clone(),
        expect: Expect::Absent,
        status: STATUS,
        owner: invoice.seller.clone(),
        party: Some(invoice.buyer.clone()),
        parent: Some(invoice.deal.clone()),
        // Text keys and no failing parts.
        body: serde_json::to_string(&invoice).unwrap_or_default(),
        event: Some(EventDraft {
            type_: "invoice.issued",
            body: event_body(None, &invoice.view_json(), &invoice.seller),
        }),
    };
    let counted = EntityWrite {
        kind: Kind::InvoiceBook,
        id: invoice.seller.as_str().to_owned(),
        expect: if book.0 == 0 { Expect::Absent } else { Expect::Version(book.0) },
        status: "open",
        owner: invoice.seller.clone(),
        party: None,
        parent: None,
        body: format!("{{\"number\":{}}}", invoice.number),
        event: None,
    };
    Ok((invoice, [document, counted]))
}

/// One line for everything: where listed prices are so large that their sum is none.
fn whole(deal: &Deal, agreed: Minor) -> Line {
    let name = deal.terms.name().to_owned();
    Line { item_id: None, name, price: agreed, discount: Minor::ZERO, amount: agreed }
}

/// A line per item, its part of the discount taken off, and what was agreed beyond that.
fn lines(deal: &Deal, agreed: Minor) -> Option<Vec<Line>> {
    let mut lines = Vec::with_capacity(deal.terms.items().len() + 1);
    let mut left = agreed;
    for (item, discount) in deal.terms.items().iter().zip(deal.terms.shares()) {
        let amount = item.price.minus(discount)?;
        left = left.minus(amount)?;
        let (item_id, name) = (Some(item.id.clone()), item.name.clone());
        lines.push(Line { item_id, name, price: item.price, discount, amount });
    }
    if left != Minor::ZERO {
        let name = "Adjustment to the agreed price".to_owned();
        lines.push(Line { item_id: None, name, price: left, discount: Minor::ZERO, amount: left });
    }
    Some(lines)
}
