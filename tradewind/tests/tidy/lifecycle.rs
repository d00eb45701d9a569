//! The documents' tables of lifecycles are the transition tables, row for row.

use domain::{bid, deal, shop, swap};

use super::tree::sources;

/// What each happening to a swap order means to a reader of the map.
const fn of_swap(happening: swap::Happening) -> &'static str {
    use swap::Happening;
    match happening {
        Happening::Begin => "a worker takes it up",
        Happening::Route => "a venue is chosen; from `building` again, because the quote grew stale",
        Happening::Prepare => "the signed bytes are on disk",
        Happening::Rebuild => "the bytes expired unexecuted, for good: built again",
        Happening::Confirm => "the venue says it traded",
        Happening::Retry => "an attempt failed and another follows",
        Happening::Rest => "it has a limit price and did not trade at it; after `submitted` only on the venue's word",
        Happening::Fail => "given up; after `submitted` only on the venue's word",
        Happening::Cancel => "the owner withdrew it",
        Happening::Expire => "its time ran out",
    }
}

/// The same of a deal.
const fn of_deal(happening: deal::Happening) -> &'static str {
    use deal::Happening;
    match happening {
        Happening::Update => "its seller changes what it offers",
        Happening::Reserve => "a bid is accepted, in the same change",
        Happening::Release => "its seller frees it; the bid is declined, in the same change",
        Happening::Sell => "sold, with its invoice in the same change",
        Happening::Withdraw => "its seller takes it off the list; open bids are declined",
        Happening::Relist => "its seller puts it back",
    }
}

/// The same of a bid.
const fn of_bid(happening: bid::Happening) -> &'static str {
    use bid::Happening;
    match happening {
        Happening::Counter => "the side that has to answer names another price",
        Happening::Accept => "the side that has to answer takes the price",
        Happening::Decline => "the seller wants none of it, or the buyer not the seller's price",
        Happening::Retract => "the buyer takes it back",
        Happening::Expire => "its time ran out",
        Happening::Close => "its deal is sold to another or withdrawn",
        Happening::Release => "its deal is released",
    }
}

/// The same of a shop order.
const fn of_shop_order(happening: shop::Happening) -> &'static str {
    use shop::Happening;
    match happening {
        Happening::Amend => "the shop changes what it says, and what is kept for it",
        Happening::Process => "the shop begins with it",
        Happening::Complete => "the customer has what was ordered; what was kept for it is gone",
        Happening::Cancel => "nothing comes of it; what was kept for it goes back",
    }
}

/// One row for each happening and each state that it leads to.
fn table<S: Copy + PartialEq, H: Copy>(
    (states, name): (&[S], fn(S) -> &'static str),
    (happenings, when): (&[H], fn(H) -> &'static str),
    next: fn(S, H) -> Option<S>,
) -> String {
    let mut table = "| from | to | when |\n|---|---|---|\n".to_owned();
    for happening in happenings {
        for to in states {
            let from = states.iter().filter(|from| next(**from, *happening) == Some(*to));
            let from: Vec<_> = from.map(|from| name(*from)).collect();
            if !from.is_empty() {
                table += &format!("| {} | {} | {} |\n", from.join(", "), name(*to), when(*happening));
            }
        }
    }
    table
}

/// A document shows a table.
fn shows(path: &str, table: &str) {
    let document = sources().into_iter().find(|source| source.path == path).expect(path);
    assert!(document.text.contains(&format!("\n\n{table}\n")), "{path} must have this table:\n\n{table}");
}

#[test]
fn the_map_shows_the_lifecycles_as_they_are() {
    for table in [
        table((&swap::Status::ALL, swap::Status::as_str), (&swap::Happening::ALL, of_swap), swap::next),
        table((&deal::Status::ALL, deal::Status::as_str), (&deal::Happening::ALL, of_deal), deal::next),
        table((&bid::Status::ALL, bid::Status::as_str), (&bid::Happening::ALL, of_bid), bid::next),
    ] {
        shows("ARCHITECTURE.md", &table);
    }
    let orders = (&shop::Status::ALL[..], shop::Status::as_str as fn(shop::Status) -> &'static str);
    shows("docs/shop.md", &table(orders, (&shop::Happening::ALL, of_shop_order), shop::next));
}
