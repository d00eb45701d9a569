//! Every type of event that there is, each with what it says: the one list that patterns, schemas and documents go by.
//!
//! An event's type is its kind and what happened, `<kind>.<past participle>`. A decision that tells of something new adds it
//! here: a test holds the decisions to this list, and the list to the decisions.

use crate::Kind;

/// One type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// `swap.confirmed`: begins with the name of its kind.
    pub name: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// Whether it is news of the trade; the others are about the installation itself, its keys and its webhooks.
    pub business: bool,
    /// What it says, as a sentence.
    pub about: &'static str,
}

impl EventType {
    /// Whether webhooks may ask for it: for all news of the trade, and for an endpoint that was switched off, which is news to
    /// the account's other endpoints.
    #[must_use]
    pub fn is_for_webhooks(&self) -> bool {
        self.business || self.name == "webhook.endpoint.disabled"
    }
}

/// The type of that name, if there is one.
#[must_use]
pub fn find(name: &str) -> Option<&'static EventType> {
    ALL.iter().find(|one| one.name == name)
}

const fn news(kind: Kind, name: &'static str, about: &'static str) -> EventType {
    EventType { name, kind, business: true, about }
}

const fn inner(kind: Kind, name: &'static str, about: &'static str) -> EventType {
    EventType { name, kind, business: false, about }
}

/// Every type, by kind and in the order in which they happen.
#[rustfmt::skip]
pub const ALL: &[EventType] = &[
    news(Kind::Swap, "swap.pending", "A swap order was accepted and waits for a worker."),
    news(Kind::Swap, "swap.open", "A swap order rests until a price meets its limit: it was accepted, or did not trade at its limit."),
    news(Kind::Swap, "swap.routing", "A worker took the order up and asks all venues."),
    news(Kind::Swap, "swap.building", "A venue was chosen; the transaction is being built."),
    news(Kind::Swap, "swap.rerouted", "The quote grew stale before the transaction was built: the venues were asked again."),
    news(Kind::Swap, "swap.retried", "An attempt failed and another follows."),
    news(Kind::Swap, "swap.submitted", "The signed transaction is on disk and goes to the venue."),
    news(Kind::Swap, "swap.rebuilt", "The transaction expired unexecuted, for good: another was built."),
    news(Kind::Swap, "swap.confirmed", "The order was traded; `fill` says at what price."),
    news(Kind::Swap, "swap.failed", "The order was given up; `failure` says why."),
    news(Kind::Swap, "swap.cancelled", "The owner withdrew the order before it was traded."),
    news(Kind::Swap, "swap.expired", "The order's time ran out before it was traded."),
    news(Kind::Plan, "plan.created", "A plan was made: its first slice is placed at `nextAt`."),
    news(Kind::Plan, "plan.sliced", "A slice of a plan was placed as an order of its own."),
    news(Kind::Plan, "plan.skipped", "A slice of a plan was refused, and the plan goes on; `refusal` says why."),
    news(Kind::Plan, "plan.completed", "The last slice of a plan had its turn."),
    news(Kind::Plan, "plan.cancelled", "The owner cancelled a plan: no more slices follow."),
    news(Kind::Deal, "deal.created", "A seller posted a deal."),
    news(Kind::Deal, "deal.updated", "A deal changed: its terms, its status, or both; `changed` has the old values."),
    news(Kind::Bid, "bid.offered", "A buyer made a bid for a deal."),
    news(Kind::Bid, "bid.countered", "One side answered a bid with another amount."),
    news(Kind::Bid, "bid.accepted", "A bid was accepted, and reserves its deal."),
    news(Kind::Bid, "bid.declined", "A bid was turned down."),
    news(Kind::Bid, "bid.retracted", "The buyer took the bid back."),
    news(Kind::Bid, "bid.expired", "The bid's time ran out without an answer."),
    news(Kind::Invoice, "invoice.issued", "A deal was sold, and this is its invoice."),
    news(Kind::Authorisation, "authorisation.granted", "A seller lets a buyer see its deals."),
    news(Kind::Authorisation, "authorisation.revoked", "A seller no longer lets a buyer see its deals."),
    news(Kind::ShopOrder, "shop.order.created", "A shop took an order."),
    news(Kind::ShopOrder, "shop.order.updated", "A shop order changed: its status, its content, or both; `changed` has the old values."),
    news(Kind::ShopOrder, "shop.order.deleted", "A shop order was deleted: lists show it no more, its history stays."),
    news(Kind::Stock, "shop.stock.adjusted", "A shop set or changed what it has of a product."),
    inner(Kind::Key, "key.created", "A key to the API was made."),
    inner(Kind::Key, "key.revoked", "A key to the API was revoked, and opens nothing any more."),
    inner(Kind::Endpoint, "webhook.endpoint.created", "A webhook endpoint was made."),
    inner(Kind::Endpoint, "webhook.endpoint.updated", "A webhook endpoint's settings or secrets changed."),
    inner(Kind::Endpoint, "webhook.endpoint.enabled", "A webhook endpoint was switched on again."),
    inner(Kind::Endpoint, "webhook.endpoint.disabled", "A webhook endpoint was switched off: by its owner, because it answered 410, or because it failed for too long."),
    inner(Kind::Endpoint, "webhook.endpoint.deleted", "A webhook endpoint was deleted."),
    inner(Kind::Limits, "limits.set", "An admin set what an account, or every one without limits of its own, may trade at most."),
    inner(Kind::Limits, "limits.removed", "An admin took an account's limits away."),
    inner(Kind::Trading, "trading.changed", "An admin said whether anything is traded; told on the account `system`."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_tells_has_types_that_bear_its_name() {
        for kind in Kind::ALL {
            assert_eq!(ALL.iter().any(|one| one.kind == kind), !kind.is_bookkeeping(), "{kind}");
        }
        for one in ALL {
            let happened = one.name.strip_prefix(one.kind.as_str()).and_then(|rest| rest.strip_prefix('.'));
            assert!(happened.is_some_and(|word| word.bytes().all(|b| b.is_ascii_lowercase())), "{}", one.name);
            assert_eq!(find(one.name), Some(one), "twice");
            assert!(one.about.ends_with('.'), "{}: a sentence", one.name);
            assert_eq!(
                one.business,
                !matches!(one.kind, Kind::Key | Kind::Endpoint | Kind::Limits | Kind::Trading),
                "{}",
                one.name
            );
        }
    }

    #[test]
    fn of_the_inner_ones_webhooks_hear_of_one() {
        let heard: Vec<_> =
            ALL.iter().filter(|one| one.is_for_webhooks() && !one.business).map(|one| one.name).collect();
        assert_eq!(heard, ["webhook.endpoint.disabled"]);
    }
}
