//! The suite every venue driver passes.
//!
//! Each case takes a fresh [`Stage`]; its doc says with which options of the simulated chain. A new driver makes stages
//! and calls every case.

use std::sync::Arc;

use domain::Owner;
use domain::swap::{Ask, Inquiry, Mode, Prepared, Quote};

use super::{LOOK_UP_LIMIT, Order, Outcome, Venue, VenueError};

mod plans;

pub use plans::{
    legs_add_up, plans_execute_whole_or_not_at_all, plans_stay_whole_when_pools_move, what_is_large_is_split,
    what_is_quoted_is_realised,
};

#[cfg(test)]
mod live;
#[cfg(test)]
mod tests;

/// A venue over a world of its own.
pub struct Stage {
    /// Trades SOL, wSOL, USDC and BONK; knows WIF, for which it has no price.
    pub venue: Arc<dyn Venue>,
    /// Lets so many slots pass.
    pub pass_slots: Box<dyn Fn(u64) + Send + Sync>,
    /// How many transactions the chain has executed.
    pub executed: Box<dyn Fn() -> usize + Send + Sync>,
}

/// One SOL.
const ONE_SOL: u128 = 1_000_000_000;

impl Stage {
    async fn quote(&self, input: &str, output: &str, mode: Mode, amount: u128) -> Result<Quote, VenueError> {
        let ask = Ask { input: input.into(), output: output.into(), mode, amount };
        self.venue.quote(&Inquiry { ask, slippage_bps: 50, limit: None }).await
    }

    /// A transaction that sells one SOL with no limit.
    async fn prepared(&self, id: &str) -> Prepared {
        let quote = self.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote");
        self.venue.prepare(&order(id, quote, 1)).await.expect("a transaction")
    }

    async fn fate(&self, prepared: &Prepared) -> Outcome {
        let fates = self.venue.look_up(&[Arc::new(prepared.clone())]).await.expect("an answer");
        assert_eq!(fates.len(), 1);
        fates.into_iter().next().expect("one")
    }
}

fn order(id: &str, quote: Quote, limit: u128) -> Order {
    Order { account: Owner::parse("trader-1").expect("a name"), id: id.to_owned(), attempt: 1, quote, limit }
}

/// `pace=instant`: amounts are near 150 dollars a SOL, inside the fee, and the mirror question gives the mirror answer.
pub async fn quotes_are_sane(stage: &Stage) {
    let sell = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote");
    assert_eq!(&*sell.venue, stage.venue.name());
    assert_eq!((sell.amount_in, sell.ask.amount), (ONE_SOL, ONE_SOL));
    assert!((139_000_000..161_000_000).contains(&sell.amount_out), "{sell:?}");
    assert!(sell.fee * 10_000 >= ONE_SOL && sell.fee * 10_000 <= ONE_SOL * 25, "{sell:?}");
    assert!(sell.price_impact_bps <= 1, "{sell:?}");
    let buy = stage.quote("SOL", "USDC", Mode::ExactOut, sell.amount_out).await.expect("a quote");
    assert_eq!(buy.amount_out, sell.amount_out);
    assert!(buy.amount_in <= ONE_SOL && buy.amount_in > ONE_SOL * 999_999 / 1_000_000, "{buy:?}");
    let large = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL * 10_000).await.expect("a quote");
    assert!(large.price_impact_bps > sell.price_impact_bps && large.amount_out < sell.amount_out * 10_000, "{large:?}");
}

/// `pace=instant`: SOL and wSOL are one in the pools, and not traded for one another.
pub async fn sol_costs_what_wrapped_sol_costs(stage: &Stage) {
    let native = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote");
    let wrapped = stage.quote("wSOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote");
    assert_eq!((native.amount_out, native.fee), (wrapped.amount_out, wrapped.fee));
    let between = stage.quote("SOL", "wSOL", Mode::ExactIn, ONE_SOL).await;
    assert!(matches!(between, Err(VenueError::NoRoute(_))), "{between:?}");
}

/// `pace=instant`: what cannot be traded has no route.
pub async fn what_cannot_be_traded_has_no_route(stage: &Stage) {
    for (input, output, mode, amount) in [
        ("SOL", "WIF", Mode::ExactIn, ONE_SOL),
        ("DOGE", "SOL", Mode::ExactIn, ONE_SOL),
        ("SOL", "SOL", Mode::ExactIn, ONE_SOL),
        ("SOL", "USDC", Mode::ExactIn, 0),
        ("SOL", "USDC", Mode::ExactOut, 0),
        ("SOL", "USDC", Mode::ExactIn, 1),
        ("SOL", "USDC", Mode::ExactOut, 1 << 62),
        ("SOL", "USDC", Mode::ExactIn, u128::MAX),
    ] {
        let answer = stage.quote(input, output, mode, amount).await;
        assert!(matches!(answer, Err(VenueError::NoRoute(_))), "{input} {output} {mode:?} {amount}: {answer:?}");
    }
}

/// `pace=instant`: a prepared transaction is not on the chain, and every build is another one.
pub async fn preparing_touches_nothing(stage: &Stage) {
    let before = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote");
    let first = order("order-1", before.clone(), 1);
    let builds = [first.clone(), Order { attempt: 2, ..first.clone() }, Order { id: "order-2".to_owned(), ..first }];
    let mut ids = Vec::new();
    for order in &builds {
        let prepared = stage.venue.prepare(order).await.expect("a transaction");
        assert_eq!((&*prepared.venue, prepared.build), (stage.venue.name(), order.attempt));
        assert!(prepared.bytes.len() <= 8_192);
        assert_eq!(stage.fate(&prepared).await, Outcome::Open);
        ids.push(prepared.id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), builds.len());
    assert_eq!((stage.executed)(), 0);
    assert_eq!(stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await, Ok(before));
}

/// `pace=instant`: what is submitted executes within its limit, in both modes and all forms of SOL.
pub async fn submissions_execute_within_their_limits(stage: &Stage) {
    let cases = [
        ("SOL", "USDC", Mode::ExactIn, ONE_SOL),
        ("USDC", "SOL", Mode::ExactIn, 150_000_000),
        ("wSOL", "USDC", Mode::ExactOut, 150_000_000),
        ("USDC", "wSOL", Mode::ExactOut, ONE_SOL),
    ];
    for (n, (input, output, mode, amount)) in cases.into_iter().enumerate() {
        let quote = stage.quote(input, output, mode, amount).await.expect("a quote");
        let limit = match mode {
            Mode::ExactIn => quote.amount_out * 995 / 1_000,
            Mode::ExactOut => quote.amount_in * 1_005 / 1_000,
        };
        let prepared = stage.venue.prepare(&order(&n.to_string(), quote, limit)).await.expect("a transaction");
        stage.venue.submit(&prepared).await.expect("taken");
        let Outcome::Confirmed { amount_in, amount_out, slot } = stage.fate(&prepared).await else {
            panic!("{input} {output} {mode:?} did not execute");
        };
        match mode {
            Mode::ExactIn => assert!(amount_in == amount && amount_out >= limit),
            Mode::ExactOut => assert!(amount_out == amount && amount_in <= limit),
        }
        assert!(slot <= prepared.expires_at_height);
    }
    assert_eq!((stage.executed)(), cases.len());
}

/// `pace=instant`: the same bytes may be sent any number of times.
pub async fn the_same_bytes_execute_once(stage: &Stage) {
    let prepared = stage.prepared("order-1").await;
    stage.venue.submit(&prepared).await.expect("taken");
    let fate = stage.fate(&prepared).await;
    for _ in 0..5 {
        stage.venue.submit(&prepared).await.expect("taken again");
    }
    assert_eq!((stage.fate(&prepared).await, (stage.executed)()), (fate, 1));
}

/// `pace=instant`: bytes that were changed on the way are refused.
pub async fn changed_bytes_are_refused(stage: &Stage) {
    let prepared = stage.prepared("order-1").await;
    for at in [0, 40, prepared.bytes.len() / 2, prepared.bytes.len() - 8] {
        let mut bytes = prepared.bytes.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let bytes = String::from_utf8(bytes).expect("text");
        let answer = stage.venue.submit(&Prepared { bytes, ..prepared.clone() }).await;
        assert!(matches!(answer, Err(VenueError::Failed(_))), "{at}: {answer:?}");
    }
    assert_eq!((stage.fate(&prepared).await, (stage.executed)()), (Outcome::Open, 0));
}

/// `pace=instant`: an order whose limit the price does not meet fails for good.
pub async fn limits_that_are_not_met_fail(stage: &Stage) {
    for (id, mode, amount) in [("order-1", Mode::ExactIn, ONE_SOL), ("order-2", Mode::ExactOut, 150_000_000)] {
        let quote = stage.quote("SOL", "USDC", mode, amount).await.expect("a quote");
        let limit = match mode {
            Mode::ExactIn => quote.amount_out + 1,
            Mode::ExactOut => quote.amount_in - 1,
        };
        let prepared = stage.venue.prepare(&order(id, quote, limit)).await.expect("a transaction");
        stage.venue.submit(&prepared).await.expect("taken");
        let fate = stage.fate(&prepared).await;
        assert!(matches!(&fate, Outcome::Failed { code, .. } if code == "SLIPPAGE_EXCEEDED"), "{fate:?}");
        stage.venue.submit(&prepared).await.expect("taken again");
        assert_eq!(stage.fate(&prepared).await, fate, "for good");
    }
    assert_eq!((stage.executed)(), 0);
}

/// `pace=instant`: what was never sent is open until it cannot be executed any more.
pub async fn the_unsent_is_open_and_then_expired(stage: &Stage) {
    let prepared = stage.prepared("order-1").await;
    assert_eq!(stage.fate(&prepared).await, Outcome::Open);
    (stage.pass_slots)(1_000);
    assert_eq!(stage.fate(&prepared).await, Outcome::Expired);
    let late = stage.venue.submit(&prepared).await;
    assert!(matches!(late, Err(VenueError::Failed(_))), "{late:?}");
    assert_eq!((stage.executed)(), 0);
}

/// `pace=instant`: a batch is answered in its order; an empty one and one too long are answered, too.
pub async fn batches_are_answered_in_order(stage: &Stage) {
    let mut batch = Vec::new();
    for n in 0..5 {
        let prepared = stage.prepared(&n.to_string()).await;
        if n % 2 == 0 {
            stage.venue.submit(&prepared).await.expect("taken");
        }
        batch.push(Arc::new(prepared));
    }
    let fates = stage.venue.look_up(&batch).await.expect("answers");
    let done: Vec<_> = fates.iter().map(|fate| matches!(fate, Outcome::Confirmed { .. })).collect();
    assert_eq!(done, [true, false, true, false, true]);
    assert_eq!(stage.venue.look_up(&[]).await, Ok(Vec::new()));
    let full = vec![Arc::clone(&batch[0]); LOOK_UP_LIMIT];
    assert_eq!(stage.venue.look_up(&full).await.map(|fates| fates.len()), Ok(LOOK_UP_LIMIT));
    let answer = stage.venue.look_up(&vec![Arc::clone(&batch[0]); LOOK_UP_LIMIT + 1]).await;
    assert!(matches!(answer, Err(VenueError::Failed(_))), "{answer:?}");
}

/// `pace=instant&balance=1`: a wallet pays no more than it holds.
pub async fn short_wallets_fail(stage: &Stage) {
    for (id, pays) in [("order-1", true), ("order-2", false)] {
        let prepared = stage.prepared(id).await;
        stage.venue.submit(&prepared).await.expect("taken");
        match stage.fate(&prepared).await {
            Outcome::Confirmed { .. } => assert!(pays, "{id}"),
            Outcome::Failed { code, .. } => assert!(!pays && code == "INSUFFICIENT_BALANCE", "{id}: {code}"),
            other => panic!("{id}: {other:?}"),
        }
    }
}

/// `pace=instant&lose_answer=1`: an error after a submit does not mean that nothing happened.
pub async fn a_lost_answer_executes_all_the_same(stage: &Stage) {
    let prepared = stage.prepared("order-1").await;
    for _ in 0..2 {
        let answer = stage.venue.submit(&prepared).await;
        assert!(matches!(answer, Err(VenueError::Failed(_))), "{answer:?}");
        assert!(matches!(stage.fate(&prepared).await, Outcome::Confirmed { .. }));
    }
    assert_eq!((stage.executed)(), 1);
}

/// `pace=instant&drop=0.9`: what was lost on its way executes when it is sent again, once.
pub async fn dropped_bytes_execute_when_sent_again(stage: &Stage) {
    let mut again = 0;
    for n in 0..5 {
        let prepared = stage.prepared(&n.to_string()).await;
        stage.venue.submit(&prepared).await.expect("taken");
        while stage.fate(&prepared).await == Outcome::Open {
            again += 1;
            assert!(again < 1_000, "it never executes");
            stage.venue.submit(&prepared).await.expect("taken again");
        }
        assert!(matches!(stage.fate(&prepared).await, Outcome::Confirmed { .. }));
    }
    assert!(again > 0, "nothing was dropped");
    assert_eq!((stage.executed)(), 5);
}

/// `pace=instant&fail=1`: a venue that fails says so.
pub async fn failing_quotes_fail(stage: &Stage) {
    let answer = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await;
    assert!(matches!(answer, Err(VenueError::Failed(_))), "{answer:?}");
}

/// `pace=real`: a transaction is open until its slot.
pub async fn inclusion_takes_slots(stage: &Stage) {
    let prepared = stage.prepared("order-1").await;
    stage.venue.submit(&prepared).await.expect("taken");
    assert_eq!((stage.fate(&prepared).await, (stage.executed)()), (Outcome::Open, 0));
    (stage.pass_slots)(8);
    assert!(matches!(stage.fate(&prepared).await, Outcome::Confirmed { .. }));
    assert_eq!((stage.executed)(), 1);
}
