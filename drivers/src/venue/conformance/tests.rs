//! Runs the suite over the paper venue and over a simnet process's front.

use domain::token::Registry;
use simnet::{Clock, Retention, SLOT_MILLIS, Settings, World};
use tokio::net::TcpListener;

use super::*;
use crate::venue::{chain, paper, simnet as remote};

const NOW: u64 = 1_800_000_000_000;

/// Where a driver's world is.
#[derive(Clone, Copy)]
enum Driver {
    Paper,
    Simnet,
}

async fn stage(driver: Driver, options: &str, exchange: usize) -> Stage {
    let mut tokens = Registry::default();
    tokens.extend_from_json(r#"[{"symbol":"WIF","mint":"EKpQ","decimals":6}]"#).expect("a good file");
    let tokens = Arc::new(tokens);
    let settings = Settings::parse(options).expect("good options");
    let world = World::new(settings, chain::tokens(&tokens), Retention::Everything, NOW).expect("a world");
    let (world, clock) = (Arc::new(world), Arc::new(Clock::standing_at(NOW)));
    let venues = match driver {
        Driver::Paper => paper::over(&world, &tokens, &clock),
        Driver::Simnet => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let base = format!("http://{}", listener.local_addr().expect("an address"));
            let front = simnet::http::serve(listener, Arc::clone(&world), Arc::clone(&clock), std::future::pending());
            tokio::spawn(front);
            remote::open(&base, &tokens).expect("a good address")
        }
    };
    let passing = Arc::clone(&clock);
    Stage {
        venue: Arc::clone(&venues[exchange]),
        pass_slots: Box::new(move |slots| passing.advance(slots * SLOT_MILLIS)),
        executed: Box::new(move || world.records(0, 0, clock.now()).1),
    }
}

macro_rules! cases {
    ($($case:ident: $options:literal,)*) => {
        mod on_paper { $(#[tokio::test] async fn $case() { super::run(super::Driver::Paper, $options, async |s| super::super::$case(s).await).await; })* }
        mod over_simnet { $(#[tokio::test] async fn $case() { super::run(super::Driver::Simnet, $options, async |s| super::super::$case(s).await).await; })* }
    };
}

async fn run(driver: Driver, options: &str, case: impl AsyncFn(&Stage)) {
    for exchange in [0, 1, 2] {
        case(&stage(driver, options, exchange).await).await;
    }
}

cases! {
    quotes_are_sane: "pace=instant",
    sol_costs_what_wrapped_sol_costs: "pace=instant",
    what_cannot_be_traded_has_no_route: "pace=instant",
    preparing_touches_nothing: "pace=instant",
    submissions_execute_within_their_limits: "pace=instant",
    the_same_bytes_execute_once: "pace=instant",
    changed_bytes_are_refused: "pace=instant",
    limits_that_are_not_met_fail: "pace=instant",
    the_unsent_is_open_and_then_expired: "pace=instant",
    batches_are_answered_in_order: "pace=instant",
    short_wallets_fail: "pace=instant&balance=1",
    a_lost_answer_executes_all_the_same: "pace=instant&lose_answer=1",
    dropped_bytes_execute_when_sent_again: "pace=instant&drop=0.9",
    failing_quotes_fail: "pace=instant&fail=1",
    inclusion_takes_slots: "pace=real",
    legs_add_up: "pace=instant",
    what_is_large_is_split: "pace=instant",
    what_is_quoted_is_realised: "pace=instant",
    plans_execute_whole_or_not_at_all: "pace=instant",
    plans_stay_whole_when_pools_move: "pace=real",
}

#[test]
fn bad_urls_are_explained() {
    let tokens = Arc::new(Registry::default());
    let now = domain::Timestamp(0);
    for (url, says) in [
        ("paper?speed=9", "one of the options"),
        ("paper?fail=2", "a share from 0 to 1"),
        ("paper?balance=99999999999999999999", "a whole number"),
        ("simnet=localhost", "simnet=localhost"),
        ("simnet=ftp://x", "expected http"),
        ("mars", "expected paper"),
        ("jupiter=http://127.0.0.1:1?rpc=http://127.0.0.1:1", "--signer"),
    ] {
        let error = crate::venue::open(url, &tokens, now).err().expect(url).to_string();
        assert!(error.contains(says), "{url}: {error}");
    }
    for (url, beside) in [
        ("paper", &["Universal"][..]),
        ("paper?pace=instant&seed=7", &["Universal"][..]),
        ("simnet=http://127.0.0.1:8090/", &[][..]),
    ] {
        let venues = crate::venue::open(url, &tokens, now).expect(url);
        let names = [&["Raydium", "Meteora", "Tradewind"], beside].concat();
        assert_eq!(venues.iter().map(|venue| venue.name()).collect::<Vec<_>>(), names);
    }
}

#[test]
fn what_is_not_on_this_machine_is_live() {
    for (url, live) in [
        ("paper", false),
        ("paper?seed=1", false),
        ("simnet=http://10.0.0.1:8090", false),
        ("jupiter=http://127.0.0.1:1?rpc=http://localhost:1/rpc", false),
        ("jupiter=http://127.0.0.1:1?rpc=https://node.example", true),
        ("jupiter=http://127.0.0.1:1?rpc-file=node.url", true),
        ("jupiter=https://api.jup.ag?rpc=http://127.0.0.1:1", true),
        ("raydium=http://10.0.0.1:1?rpc=http://127.0.0.1:1", true),
        ("raydium=nonsense", true),
    ] {
        assert_eq!(crate::venue::is_live(url), live, "{url}");
    }
}

#[tokio::test]
async fn a_simnet_that_is_down_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let venue = Arc::clone(&remote::open(&base, &Arc::new(Registry::default())).expect("a good address")[0]);
    let paper = stage(Driver::Paper, "pace=instant", 0).await;
    let prepared = paper.prepared("order-1").await;
    assert!(matches!(venue.submit(&prepared).await, Err(VenueError::Failed(_))));
    assert!(matches!(venue.look_up(&[Arc::new(prepared)]).await, Err(VenueError::Failed(_))));
}
