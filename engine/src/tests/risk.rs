//! Limits and the trading state, at once and from elsewhere: nothing slips past, and nothing stops a confirmation.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::risk::{ALL_OTHERS, State, Terms, level};
use domain::swap::{Inquiry, Prepared, Quote};
use drivers::venue::{Order, Outcome, Settlement, Venue, VenueError};
use tokio::task::JoinSet;

use super::*;
use crate::intake::Target;

/// What one order of [`place`] is worth, in millionths of a US dollar.
const WORTH: u64 = 150_000_000;

pub(super) async fn turn(engine: &Engine, state: State) {
    engine.intake.turn_trading(None, (state, None), &owner("ops"), None).await.expect("turned");
}

pub(super) async fn limit(engine: &Engine, account: &str, terms: Terms) {
    let target = Target { id: account, version: None };
    engine.intake.set_limits(target, &terms, &owner("ops"), None).await.expect("set");
}

fn per_day(orders: u64) -> Terms {
    Terms { max_day: Some(orders * WORTH), ..Terms::default() }
}

pub(super) fn code<T: std::fmt::Debug>(result: Result<T, IntakeError>) -> &'static str {
    match result {
        Err(IntakeError::Refused(refusal)) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

async fn sum(engine: &Engine) -> u64 {
    let sums = engine.journal.levels(&[level(&owner("alice"), clock::now())]).await.expect("levels");
    sums[0].unsigned_abs()
}

async fn swap(engine: &Engine, id: &str) -> Swap {
    let entity = engine.journal.entity(Kind::Swap, id).await.expect("reads").expect("is there");
    Swap::from_entity(&entity).expect("reads back")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_a_day_takes_as_many_as_fit() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 0).await);
    limit(&engine, ALL_OTHERS, per_day(10)).await;
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let engine = Arc::clone(&engine);
        callers.spawn(async move { engine.intake.place(place(), None).await });
    }
    let (taken, refused): (Vec<_>, Vec<_>) = callers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (10, 54));
    assert!(refused.into_iter().all(|refused| code(refused) == "DAILY_LIMIT"));
    assert_eq!(sum(&engine).await, 10 * WORTH);
    // Another account has a day of its own, and what is withdrawn is there again, once.
    let bob = Place { account: owner("bob"), ..place() };
    engine.intake.place(bob, None).await.expect("another's");
    let first = &taken[0].as_ref().expect("taken").id;
    for _ in 0..2 {
        engine.intake.cancel(&owner("alice"), first, None).await.expect("cancelled");
        assert_eq!(sum(&engine).await, 9 * WORTH);
    }
    // With a request key the same order takes its share once.
    for replayed in [false, true] {
        let again = engine.intake.place(place(), Some(key("k", 1))).await.expect("there is room");
        assert_eq!((again.replayed, sum(&engine).await), (replayed, 10 * WORTH));
    }
    assert_eq!(code(engine.intake.place(place(), None).await), "DAILY_LIMIT");
    // Lowered, the limit takes nothing from what was taken, and what goes back is not refused.
    limit(&engine, "alice", per_day(1)).await;
    engine.intake.cancel(&owner("alice"), &taken[1].as_ref().expect("taken").id, None).await.expect("cancelled");
    assert_eq!((sum(&engine).await, code(engine.intake.place(place(), None).await)), (9 * WORTH, "DAILY_LIMIT"));
    let target = Target { id: "alice", version: None };
    engine.intake.remove_limits(target, &owner("ops"), None).await.expect("removed");
    engine.intake.place(place(), None).await.expect("those of all others hold again");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_does_not_trade_gives_its_share_back() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 4).await;
    limit(&engine, "alice", per_day(1_000)).await;
    // No venue trades so much without any impact.
    let conditions = Conditions { max_price_impact_bps: Some(0), ..Conditions::default() };
    let ask = Ask { amount: 100_000_000_000, ..place().ask };
    let too_much = engine.intake.place(Place { ask, conditions, ..place() }, None).await.expect("taken");
    let failed = until_final(&engine, &too_much.id).await;
    assert_eq!(failed.failure.map(|failure| failure.code).as_deref(), Some("PRICE_IMPACT_TOO_HIGH"));
    assert_eq!((failed.status, failed.attempt, sum(&engine).await), (Status::Failed, 1, 0));
    let depth = engine.journal.depth(QUEUE, clock::now()).await.expect("a depth");
    assert_eq!(depth.dead, 0, "an order that its terms refuse is nothing for an operator");
    engine.operator.turn(QUEUE, true, &owner("ops")).await.expect("paused");
    let soon = Place { expires_at: Some(clock::now().plus_millis(100)), ..place() };
    let soon = engine.intake.place(soon, None).await.expect("taken");
    assert_eq!(until_final(&engine, &soon.id).await.status, Status::Expired);
    assert_eq!(sum(&engine).await, 0);
    engine.operator.turn(QUEUE, false, &owner("ops")).await.expect("resumed");
    let traded = engine.intake.place(place(), None).await.expect("taken");
    assert_eq!(until_final(&engine, &traded.id).await.status, Status::Confirmed);
    assert_eq!(sum(&engine).await, WORTH);
    engine.stop(PATIENCE).await;
}

/// The paper venue, which says for a while what it is told to say, and notes what was built and sent.
struct Told {
    venue: Arc<dyn Venue>,
    says: Arc<Mutex<Option<Outcome>>>,
    built: Arc<Mutex<Vec<String>>>,
    sent: Arc<Mutex<BTreeSet<String>>>,
}

#[async_trait]
impl Venue for Told {
    fn name(&self) -> &'static str {
        self.venue.name()
    }

    fn settlement(&self) -> Settlement {
        self.venue.settlement()
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        self.venue.quote(inquiry).await
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner).push(order.id.clone());
        self.venue.prepare(order).await
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(prepared.id.clone());
        self.venue.submit(prepared).await
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        let says = self.says.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match says {
            Some(outcome) => Ok(vec![outcome; prepared.len()]),
            None => self.venue.look_up(prepared).await,
        }
    }

    fn poll_millis(&self) -> u64 {
        self.venue.poll_millis()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn halted_trading_builds_nothing_and_stops_no_confirmation() {
    let site = Site::new();
    let (says, built, sent) = (Arc::new(Mutex::new(Some(Outcome::Open))), Arc::default(), Arc::default());
    let venues = venue::open("paper?pace=instant", &Arc::new(Registry::default()), clock::now()).expect("venues");
    let told = |venue| -> Arc<dyn Venue> {
        Arc::new(Told { venue, says: Arc::clone(&says), built: Arc::clone(&built), sent: Arc::clone(&sent) })
    };
    let engine = site.engine_trading_at(venues.into_iter().map(told).collect(), Vec::new(), 4).await;
    let says = |outcome| *says.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    let builds = || built.lock().unwrap_or_else(PoisonError::into_inner).len();
    let under_way = engine.intake.place(place(), None).await.expect("taken");
    until("it is sent", async || swap(&engine, &under_way.id).await.status == Status::Submitted).await;
    let rebuilt = engine.intake.place(place(), None).await.expect("taken");
    until("it is sent", async || swap(&engine, &rebuilt.id).await.status == Status::Submitted).await;
    engine.operator.turn(QUEUE, true, &owner("ops")).await.expect("paused");
    let waits = engine.intake.place(place(), Some(key("k", 1))).await.expect("taken");
    let withdrawn = engine.intake.place(place(), None).await.expect("taken");
    let soon = Place { expires_at: Some(clock::now().plus_millis(600)), ..place() };
    let soon = engine.intake.place(soon, None).await.expect("taken");
    turn(&engine, State::Halted).await;
    engine.operator.turn(QUEUE, false, &owner("ops")).await.expect("resumed");

    assert_eq!(code(engine.intake.place(place(), None).await), "TRADING_HALTED");
    // What was taken before is answered again.
    assert_eq!(engine.intake.place(place(), Some(key("k", 1))).await.expect("a replay").id, waits.id);
    engine.intake.cancel(&owner("alice"), &withdrawn.id, None).await.expect("cancelled");
    assert_eq!(until_final(&engine, &soon.id).await.status, Status::Expired);
    // What expired at its venue waits to be built anew, as long as it takes.
    says(Some(Outcome::Expired));
    until("both are back in the queue", async || {
        engine.journal.depth(QUEUE, clock::now()).await.expect("a depth").waiting >= 2 && engine.leases() == 0
    })
    .await;
    assert_eq!((builds(), swap(&engine, &rebuilt.id).await.status), (2, Status::Submitted));
    // What the venue says is written down all the same: whoever takes it up sends the bytes that it has, and no others.
    says(None);
    assert_eq!(until_final(&engine, &under_way.id).await.status, Status::Confirmed);
    assert_eq!(until_final(&engine, &rebuilt.id).await.status, Status::Confirmed);
    let waiting = swap(&engine, &waits.id).await;
    assert_eq!((waiting.status, waiting.attempt, builds()), (Status::Pending, 0, 2));

    // Reducing: into dollars alone.
    turn(&engine, State::Reducing).await;
    assert_eq!(until_final(&engine, &waits.id).await.status, Status::Confirmed);
    let away = Ask { input: "USDC".into(), output: "SOL".into(), mode: Mode::ExactIn, amount: 5_000_000 };
    let away = Place { ask: away, input_decimals: 6, output_decimals: 9, ..place() };
    assert_eq!(code(engine.intake.place(away.clone(), None).await), "TRADING_STATE_REDUCING");
    let traded = engine.intake.place(place(), None).await.expect("taken");
    assert_eq!(until_final(&engine, &traded.id).await.attempt, 1);
    turn(&engine, State::Active).await;
    let away = engine.intake.place(away, None).await.expect("taken");
    assert_eq!(until_final(&engine, &away.id).await.status, Status::Confirmed);
    assert!(engine.metrics.render().contains("tradewind_trading_state{state=\"active\"} 1"));
    assert_eq!(sent.lock().unwrap_or_else(PoisonError::into_inner).len(), 5);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_holds_over_a_restart() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    turn(&engine, State::Halted).await;
    engine.stop(PATIENCE).await;
    drop(engine);
    let engine = site.engine("paper?pace=instant", 4).await;
    assert_eq!(code(engine.intake.place(place(), None).await), "TRADING_HALTED");
    until("it is put off", async || engine.journal.depth(QUEUE, clock::now()).await.expect("a depth").waiting == 1)
        .await;
    assert_eq!(swap(&engine, &taken.id).await.version, 1);
    turn(&engine, State::Active).await;
    let traded = until_final(&engine, &taken.id).await;
    assert_eq!((traded.status, traded.attempt), (Status::Confirmed, 1));
    engine.stop(PATIENCE).await;
}

/// Changes what one order may be worth again and again while others place orders that are worth more and less; then no order
/// stands in the log under a limit that it is above.
pub(super) async fn limits_and_orders_at_once(setter: &Arc<Engine>, taker: &Arc<Engine>) {
    let most = |micros| Terms { max_order: Some(micros), ..Terms::default() };
    let before = setter.journal.head().await.expect("a head").seq;
    limit(setter, "alice", most(10 * WORTH)).await;
    until("the news", async || taker.risk.refresh().await.is_ok() && taker.risk.knows() > 0).await;
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let taker = Arc::clone(taker);
        callers.spawn(async move {
            let mut refused = 0;
            for n in 1..=40 {
                let ask = Ask { amount: place().ask.amount * (n % 8 + 1), ..place().ask };
                match taker.intake.place(Place { ask, ..place() }, None).await {
                    Ok(_) => {}
                    refusal => {
                        assert_eq!(code(refusal), "NOTIONAL_EXCEEDS_MAX_PER_ORDER");
                        refused += 1;
                    }
                }
            }
            refused
        });
    }
    for n in 0..20 {
        limit(setter, "alice", most(WORTH * [2, 7, 4][n % 3])).await;
    }
    let refused: u32 = callers.join_all().await.into_iter().sum();
    let (mut allowed, mut after, mut orders) = (u128::MAX, before, 0);
    loop {
        let events = setter.journal.events(after, None, 1_000).await.expect("events");
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            let data: serde_json::Value = serde_json::from_str(&event.body).expect("JSON");
            let dollars = |field: &str, decimals| {
                domain::amount::parse(data[field].as_str().expect("text"), decimals).expect("an amount")
            };
            match &*event.type_ {
                "limits.set" => allowed = dollars("maxNotionalPerOrder", 6),
                "swap.pending" => {
                    orders += 1;
                    assert!(dollars("amount", 9) * 150 / 1_000 <= allowed, "{} under {allowed}", event.body);
                }
                _ => {}
            }
        }
    }
    assert_eq!(orders + refused, 8 * 40);
    assert!(refused > 0 && orders > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_slips_past_a_limit_that_changes() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 0).await);
    limits_and_orders_at_once(&engine, &engine).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_limited_names_nothing() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let now = clock::now();
    let change = engine.risk.accept(&place(), now).await.expect("accepted").change;
    assert_eq!((change.given, change.levels), (vec![], vec![]));
    limit(&engine, "bob", per_day(1)).await;
    let change = engine.risk.accept(&place(), now).await.expect("accepted").change;
    assert_eq!((change.given, change.levels), (vec![domain::risk::given(1)], vec![]));
    engine.stop(PATIENCE).await;
}
