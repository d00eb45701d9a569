//! Deals by the thousand, written straight into the journal while no server runs.

use anyhow::{Context, anyhow};
use domain::deal::{self, Draft, Item, Post, Price, Terms};
use domain::money::{Currency, Minor};
use domain::{Change, Owner};
use engine::clock;
use futures_util::future::try_join_all;

use crate::bench::backlog::open;
use crate::bench::progress::Progress;
use crate::bench::store::Store;

/// Deals of one change, and changes under way: together no more than PostgreSQL writes in one statement in good time.
const AT_ONCE: u64 = 100;
const WRITERS: usize = 8;

/// The account of a seller.
pub(in crate::bench) fn seller(number: u64) -> String {
    format!("seller-{number}")
}

/// Posts `count` deals of so many sellers, in turn, each as the API would.
pub(in crate::bench) async fn post(store: &Store, count: u64, sellers: u64, progress: &Progress) -> anyhow::Result<()> {
    let journal = open(store).await?;
    let terms = (0..10).map(terms).collect::<anyhow::Result<Vec<_>>>()?;
    let owners = (0..sellers).map(|number| Owner::parse(&seller(number)).context("an account"));
    let owners = owners.collect::<anyhow::Result<Vec<_>>>()?;
    let mut posted = 0;
    while posted < count {
        progress.say(format!("webhooks: {posted} of {count} deals"));
        let mut changes = Vec::new();
        while changes.len() < WRITERS && posted < count {
            let until = count.min(posted + AT_ONCE);
            let mut whole = Change { at: clock::now(), ..Change::default() };
            for number in posted..until {
                let pick = |length: usize| usize::try_from(number).unwrap_or(0) % length;
                let (seller, terms) = (owners[pick(owners.len())].clone(), terms[pick(terms.len())].clone());
                let post = Post { id: engine::intake::new_id(), seller, terms, sold: false };
                let choice = deal::post(post, whole.at).map_err(|refusal| anyhow!("{refusal:?}"))?;
                whole.entities.extend(choice.change.entities);
                whole.jobs.extend(choice.change.jobs);
                whole.keys.extend(choice.change.keys);
            }
            posted = until;
            changes.push(journal.apply(whole));
        }
        try_join_all(changes).await?;
    }
    journal.close().await;
    Ok(())
}

/// Terms of ten sorts, in two currencies.
pub(in crate::bench) fn terms(number: i64) -> anyhow::Result<Terms> {
    let price = Minor::new(1_000 + 100 * number).context("a price")?;
    let item = |name: &str| Item { id: engine::intake::new_id(), name: name.to_owned(), price };
    let draft = Draft {
        name: format!("Deal of sort {number}"),
        currency: Currency::parse(if number % 2 == 0 { "GBP" } else { "EUR" }).context("a currency")?,
        items: vec![item("Chair"), item("Table")],
        price: Price::Computed { discount: None, stated: None },
    };
    Terms::new(draft).map_err(|refusal| anyhow!("{refusal:?}"))
}
