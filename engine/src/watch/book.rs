//! The orders that wait for a price, in memory: by pair and side, sorted by price, so that those that cross stand in front and
//! nothing is done for the others.
//!
//! It is told of every change of an order, by the hub where others write too, else by whoever commits. An order that was woken
//! and did not trade is put to sleep for a while that grows, or until its pair's price is better than it was then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::amount::{self, Decimal};
use domain::swap::{LimitPrice, Side, Swap};
use domain::{Event, Kind, Timestamp};
use serde::Deserialize;

use super::rate::{Rate, Rung, rung};
use crate::backoff;

/// How long an order sleeps that was woken in vain for the first time, and at most.
const SLEEP_BASE_MILLIS: u64 = 1_000;
const SLEEP_CAP_MILLIS: u64 = 60_000;
/// A quote's amounts have at least so many units, so that rounding does not count,
const FINE: u128 = 10_000;
/// and not more than this many times as many, so that it moves no price.
const COARSE: u128 = 100;
/// A pair that has no quote is asked for again after so many beats at most.
const MOST_PAUSE: u32 = 25;

/// Two tokens, in the direction of the swap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) input: Arc<str>,
    pub(super) output: Arc<str>,
}

/// An order to be woken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wake {
    pub(super) id: Arc<str>,
    /// At this version it was open.
    pub(super) version: u64,
}

/// The waiting orders of this process.
#[derive(Default)]
pub(crate) struct Book(Mutex<Held>);

#[derive(Default)]
struct Held {
    /// What was told until now may not be all.
    loaded: bool,
    /// While orders are read: those that are gone meanwhile, with the version at which they were.
    gone: Option<HashMap<String, u64>>,
    orders: HashMap<Arc<str>, Waiting>,
    pairs: BTreeMap<Pair, Prices>,
    /// Sleeping orders by the millisecond at which they are roused.
    asleep: BTreeMap<(i64, u64), Arc<str>>,
    next: u64,
    /// How many orders were looked at.
    looks: u64,
}

struct Waiting {
    version: u64,
    pair: Pair,
    side: Side,
    rung: Rung,
    /// Orders of one price are woken as they came.
    number: u64,
    /// How often it was woken in vain.
    tries: u32,
    sleep: Option<Sleep>,
}

#[derive(Clone, Copy)]
struct Sleep {
    until: i64,
    /// What the price had reached when it was woken, where it was woken from here.
    tried: Option<Rung>,
}

/// What is known of a pair's price, and who waits for it.
struct Prices {
    input_decimals: u8,
    output_decimals: u8,
    /// What is asked for.
    amount: u128,
    /// Beats without an answer, and in which beat from now it is asked for again.
    failures: u32,
    pause: u32,
    sales: Ladder,
    purchases: Ladder,
}

/// The orders of one side.
#[derive(Default)]
struct Ladder {
    awake: BTreeMap<(Rung, u64), Arc<str>>,
    /// Sleeping ones by what the price had reached when they were woken.
    tried: BTreeMap<(Rung, u64), Arc<str>>,
    /// All of them.
    count: usize,
}

/// What an event's body has of an order that waits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    side: Side,
    input_token: Arc<str>,
    input_decimals: u8,
    output_token: Arc<str>,
    output_decimals: u8,
    limit_price: LimitPrice,
}

impl Book {
    /// Whether orders are to be read from the journal first.
    pub(super) fn is_stale(&self) -> bool {
        !self.lock().loaded
    }

    /// Something was not told: orders are to be read anew.
    pub(crate) fn miss(&self) {
        self.lock().loaded = false;
    }

    pub(super) fn begin_load(&self) {
        *self.lock() = Held { loaded: true, gone: Some(HashMap::new()), ..Held::default() };
    }

    pub(super) fn end_load(&self) {
        self.lock().gone = None;
    }

    /// Hears what happened to an order.
    pub(crate) fn hear(&self, event: &Event, now: Timestamp) {
        if event.kind == Kind::Swap {
            self.told(&event.id, event.version, (&event.type_, &event.body), now);
        }
    }

    /// The same, before it is an event.
    pub(crate) fn told(&self, id: &str, version: u64, (type_, body): (&str, &str), now: Timestamp) {
        if type_ != "swap.open" {
            return self.gone(id, version);
        }
        match serde_json::from_str::<Told>(body) {
            Ok(told) => self.lock().put(id, version, told, now),
            Err(error) => crate::observe::broken("an open order that cannot be read", id, &error.to_string()),
        }
    }

    /// Takes in an order that is open.
    pub(super) fn put(&self, swap: &Swap, now: Timestamp) {
        let Some(limit_price) = swap.conditions.limit_price else { return };
        let told = Told {
            side: swap.side,
            input_token: Arc::clone(&swap.ask.input),
            input_decimals: swap.input_decimals,
            output_token: Arc::clone(&swap.ask.output),
            output_decimals: swap.output_decimals,
            limit_price,
        };
        self.lock().put(&swap.id, swap.version, told, now);
    }

    /// An order is not open any more from that version on.
    pub(crate) fn gone(&self, id: &str, version: u64) {
        let mut held = self.lock();
        if let Some(gone) = &mut held.gone {
            gone.insert(id.to_owned(), version);
        }
        if held.orders.get(id).is_some_and(|waiting| waiting.version <= version) {
            held.remove(id);
        }
    }

    /// Rouses those whose sleep is over, at most so many.
    pub(super) fn rouse(&self, now: Timestamp, most: usize) {
        let mut held = self.lock();
        for _ in 0..most {
            let first = held.asleep.first_key_value().filter(|((until, _), _)| *until <= now.as_millis());
            let Some(id) = first.map(|(_, id)| Arc::clone(id)) else { return };
            held.awaken(&id);
        }
    }

    /// The pairs that anybody waits for, but for those that are passed over in this beat.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let mut held = self.lock();
        let due = held.pairs.iter_mut().filter_map(|(pair, prices)| {
            let is_due = prices.pause <= 1;
            prices.pause = prices.pause.saturating_sub(1).max(1);
            is_due.then(|| pair.clone())
        });
        due.collect()
    }

    /// What to ask for to learn a pair's price; none when nobody waits for it any more.
    pub(super) fn probe(&self, pair: &Pair) -> Option<u128> {
        self.lock().pairs.get(pair).map(|prices| prices.amount)
    }

    /// What came of it: paid and received. Chooses the next amount, and answers with the rate.
    pub(super) fn probed(&self, pair: &Pair, amounts: Option<(u128, u128)>) -> Option<Rate> {
        let mut held = self.lock();
        let prices = held.pairs.get_mut(pair)?;
        let one = power(prices.input_decimals);
        let Some((paid, received)) = amounts else {
            // Too little or too much, perhaps; or no venue answers, and is not asked in every beat.
            prices.failures += 1;
            prices.pause = (prices.failures + 1).min(MOST_PAUSE);
            prices.amount = match prices.failures % 5 {
                1 => (one / 1_000).max(1),
                2 => one.saturating_mul(1_000),
                3 => (one / 1_000_000).max(1),
                4 => one.saturating_mul(1_000_000),
                _ => one,
            };
            return None;
        };
        prices.failures = 0;
        let least = paid.min(received);
        if least < FINE {
            prices.amount = prices.amount.saturating_mul(10);
        } else if least >= FINE * COARSE {
            prices.amount = (prices.amount / 10).max(1);
        }
        let paid = Decimal { units: paid, decimals: prices.input_decimals };
        Rate::of(paid, Decimal { units: received, decimals: prices.output_decimals })
    }

    /// Takes out the orders that cross at this rate, at most so many, those in front first. They sleep from now on.
    pub(super) fn cross(&self, pair: &Pair, rate: &Rate, now: Timestamp, most: usize) -> Vec<Wake> {
        let mut held = self.lock();
        let mut wakes = Vec::new();
        for side in [Side::Sell, Side::Buy] {
            let level = rate.of_side(side);
            for _ in 0..most {
                let Some(id) = held.ladder(pair, side).and_then(|ladder| front(&ladder.tried, level.better_than))
                else {
                    break;
                };
                held.awaken(&id);
            }
            while wakes.len() < most {
                let crosses = |ladder: &mut Ladder| front(&ladder.awake, level.reached.saturating_add(1));
                let Some(id) = held.ladder(pair, side).and_then(crosses) else { break };
                wakes.extend(held.send_to_sleep(id, level.reached, now));
            }
        }
        wakes
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first that stands below a rung.
fn front(orders: &BTreeMap<(Rung, u64), Arc<str>>, below: Rung) -> Option<Arc<str>> {
    orders.first_key_value().filter(|((rung, _), _)| *rung < below).map(|(_, id)| Arc::clone(id))
}

fn power(decimals: u8) -> u128 {
    10_u128.pow(u32::from(decimals.min(amount::MAX_DECIMALS)))
}

impl Held {
    fn put(&mut self, id: &str, version: u64, told: Told, now: Timestamp) {
        let known = self.orders.get(id).is_some_and(|waiting| waiting.version >= version);
        if known || self.gone.as_ref().and_then(|gone| gone.get(id)).is_some_and(|gone| *gone >= version) {
            return;
        }
        self.remove(id);
        let pair = Pair { input: told.input_token, output: told.output_token };
        let prices = self.pairs.entry(pair.clone()).or_insert_with(|| Prices {
            input_decimals: told.input_decimals,
            output_decimals: told.output_decimals,
            amount: power(told.input_decimals),
            failures: 0,
            pause: 1,
            sales: Ladder::default(),
            purchases: Ladder::default(),
        });
        prices.ladder(told.side).count += 1;
        self.next += 1;
        let id: Arc<str> = id.into();
        // One that rested again had at least two changes each time.
        let tries = u32::try_from(version.saturating_sub(1) / 2).unwrap_or(u32::MAX);
        let rung = rung(told.side, told.limit_price);
        let (number, side) = (self.next, told.side);
        let waiting = Waiting { version, pair, side, rung, number, tries, sleep: None };
        self.orders.insert(Arc::clone(&id), waiting);
        if tries == 0 {
            self.awaken(&id);
        } else {
            self.sleep(&id, None, now);
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(waiting) = self.orders.remove(id) else { return };
        self.looks += 1;
        if let Some(sleep) = waiting.sleep {
            self.asleep.remove(&(sleep.until, waiting.number));
        }
        let Some(prices) = self.pairs.get_mut(&waiting.pair) else { return };
        let ladder = prices.ladder(waiting.side);
        ladder.count -= 1;
        ladder.awake.remove(&(waiting.rung, waiting.number));
        if let Some(tried) = waiting.sleep.and_then(|sleep| sleep.tried) {
            ladder.tried.remove(&(tried, waiting.number));
        }
        if prices.sales.count + prices.purchases.count == 0 {
            self.pairs.remove(&waiting.pair);
        }
    }

    fn ladder(&mut self, pair: &Pair, side: Side) -> Option<&mut Ladder> {
        self.pairs.get_mut(pair).map(|prices| prices.ladder(side))
    }

    /// Puts an order where its price is looked for.
    fn awaken(&mut self, id: &Arc<str>) {
        self.looks += 1;
        let Some(waiting) = self.orders.get_mut(id) else { return };
        let (sleep, number, rung) = (waiting.sleep.take(), waiting.number, waiting.rung);
        let Some(prices) = self.pairs.get_mut(&waiting.pair) else { return };
        let ladder = prices.ladder(waiting.side);
        if let Some(sleep) = sleep {
            self.asleep.remove(&(sleep.until, number));
            sleep.tried.and_then(|tried| ladder.tried.remove(&(tried, number)));
        }
        ladder.awake.insert((rung, number), Arc::clone(id));
    }

    fn send_to_sleep(&mut self, id: Arc<str>, reached: Rung, now: Timestamp) -> Option<Wake> {
        let waiting = self.orders.get_mut(&id)?;
        waiting.tries = waiting.tries.saturating_add(1);
        let version = waiting.version;
        self.sleep(&id, Some(reached), now);
        Some(Wake { id, version })
    }

    fn sleep(&mut self, id: &Arc<str>, tried: Option<Rung>, now: Timestamp) {
        self.looks += 1;
        let Some(waiting) = self.orders.get_mut(id) else { return };
        let wait = backoff::millis(SLEEP_BASE_MILLIS, SLEEP_CAP_MILLIS, waiting.tries, waiting.number);
        let until = now.as_millis() + wait;
        waiting.sleep = Some(Sleep { until, tried });
        let (number, rung) = (waiting.number, waiting.rung);
        self.asleep.insert((until, number), Arc::clone(id));
        let Some(prices) = self.pairs.get_mut(&waiting.pair) else { return };
        let ladder = prices.ladder(waiting.side);
        ladder.awake.remove(&(rung, number));
        if let Some(tried) = tried {
            ladder.tried.insert((tried, number), Arc::clone(id));
        }
    }
}

impl Prices {
    fn ladder(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Sell => &mut self.sales,
            Side::Buy => &mut self.purchases,
        }
    }
}

#[cfg(test)]
impl Book {
    /// How many orders wait, and how many were looked at so far.
    pub(crate) fn counts(&self) -> (usize, u64) {
        let held = self.lock();
        (held.orders.len(), held.looks)
    }
}
