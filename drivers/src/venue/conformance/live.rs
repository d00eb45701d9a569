//! Runs what applies to venues that trade on Solana over simnet's fronts, a process's worth of HTTP in between.
//!
//! Three things are declared, and not asked for: an outcome is known some slots after the sending, not at once; a quote binds no
//! tighter than itself; and a quote repeats but for what the venue says of the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::swap::{Ask, Inquiry, Mode, Prepared, Quote};
use domain::token::Registry;
use ed25519_dalek::SigningKey;
use simnet::bank::Plain;
use simnet::chain::Chain;
use simnet::faults::Faults;
use simnet::{Clock, Retention, SLOT_MILLIS, Settings, World};
use solana::Address;
use tokio::net::TcpListener;

use super::{LOOK_UP_LIMIT, ONE_SOL, Outcome, Stage, Venue, VenueError, order};
use crate::venue::{Opening, Signer, chain};

const NOW: u64 = 1_800_000_000_000;

/// The adapters that trade on Solana.
const ALL: [&str; 3] = ["jupiter", "jupiter-v2", "raydium"];

/// A chain with a wallet that holds some of everything, and a venue of it.
struct Live {
    stage: Stage,
    chain: Arc<Chain>,
    clock: Arc<Clock>,
    wallet: Address,
}

async fn live(name: &str, faults: &str, options: &str) -> Live {
    let tokens = Arc::new(Registry::default());
    let settings = Settings::parse("pace=instant").expect("good options");
    let world = World::new(settings, chain::tokens(&tokens), Retention::Everything, NOW).expect("a world");
    let faults = Arc::new(Faults::parse(settings.seed, faults).expect("good faults"));
    let chain = Chain::new(Arc::new(world), Box::new(Plain::default()), faults, Retention::Everything, NOW);
    let (chain, clock) = (Arc::new(chain), Arc::new(Clock::standing_at(NOW)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(simnet::http::serve_chain(listener, Arc::clone(&chain), Arc::clone(&clock), std::future::pending()));
    let signer = Signer::of_key(SigningKey::from_bytes(&[7; 32]));
    let wallet = Address::from(signer.public_key());
    for (symbol, whole) in [("SOL", 10_000_u64), ("wSOL", 1_000), ("USDC", 100_000), ("BONK", 100_000_000)] {
        let token = tokens.get(symbol).expect("known");
        let mint = (!token.is_native()).then_some(token.mint.as_str());
        chain.give(wallet, mint, whole * 10_u64.pow(token.decimals.into()), NOW).expect("given");
    }
    let url = match name {
        "jupiter-v2" => format!("jupiter={base}/jupiter?api=v2&rpc={base}/rpc{options}"),
        name => format!("{name}={base}/{name}?rpc={base}/rpc{options}"),
    };
    let opening = Opening { tokens: &tokens, signer: Some(&signer), now: domain::Timestamp(0) };
    let [venue]: [Arc<dyn Venue>; 1] = opening.open(&url).expect("opens").try_into().ok().expect("one venue");
    let (passing, executed, now) = (Arc::clone(&clock), Arc::clone(&chain), Arc::clone(&clock));
    let swaps = move || {
        let (page, _) = executed.executed(0, 10_000, now.now());
        page.iter().filter(|brief| brief.result.is_ok()).count()
    };
    let stage = Stage {
        venue,
        pass_slots: Box::new(move |slots| passing.advance(slots * SLOT_MILLIS)),
        executed: Box::new(swaps),
    };
    Live { stage, chain, clock, wallet }
}

impl Live {
    /// Looks it up, slot by slot, until it has ended.
    async fn end(&self, prepared: &Prepared) -> Outcome {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            (self.stage.pass_slots)(1);
            match self.stage.fate(prepared).await {
                Outcome::Open if Instant::now() < patience => tokio::time::sleep(Duration::from_millis(5)).await,
                ended => return ended,
            }
        }
    }

    /// A transaction for an order at that quote, with half a per cent of room.
    async fn prepared(&self, id: &str, quote: &Quote) -> Result<Prepared, VenueError> {
        let limit = match quote.ask.mode {
            Mode::ExactIn => (quote.amount_out * 995).div_ceil(1_000),
            Mode::ExactOut => quote.amount_in * 1_005 / 1_000,
        };
        self.stage.venue.prepare(&order(id, quote.clone(), limit)).await
    }

    /// Sends one: version 2 answers when it is confirmed, so that slots have to pass meanwhile.
    async fn sent(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let sending = self.stage.venue.submit(prepared);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                answer = &mut sending => return answer,
                () = tokio::time::sleep(Duration::from_millis(20)) => (self.stage.pass_slots)(1),
            }
        }
    }

    /// What the wallet has of a token, wrapped and native SOL apart.
    fn held(&self, symbol: &str) -> i128 {
        let tokens = Registry::default();
        let account = |address: &Address| self.chain.account(address, self.clock.now());
        if symbol == "SOL" {
            return account(&self.wallet).map_or(0, |account| account.lamports.into());
        }
        let mint: Address = tokens.get(symbol).expect("known").mint.parse().expect("an address");
        let own = solana::program::associated_token::address(&self.wallet, &mint, &solana::program::token::ID);
        let held = account(&own).and_then(|account| solana::program::token::Account::unpack(&account.data));
        held.map_or(0, |held| held.amount.into())
    }
}

async fn sol_for_usdc(live: &Live) -> Quote {
    live.stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL).await.expect("a quote")
}

#[tokio::test]
async fn quotes_are_sane() {
    for name in ALL {
        super::quotes_are_sane(&live(name, "", "").await.stage).await;
        super::what_cannot_be_traded_has_no_route(&live(name, "", "").await.stage).await;
    }
    for name in ["jupiter", "raydium"] {
        super::sol_costs_what_wrapped_sol_costs(&live(name, "", "").await.stage).await;
    }
}

#[tokio::test]
async fn legs_add_up() {
    for name in ["jupiter", "jupiter-v2"] {
        super::legs_add_up(&live(name, "", "").await.stage).await;
    }
}

#[tokio::test]
async fn what_is_sent_executes_and_says_what_it_moved() {
    // Wrapped SOL first: a swap of native SOL closes the account that holds it, in favour of the wallet.
    let pairs = [
        ("wSOL", "BONK", 1_000_000_000),
        ("BONK", "USDC", 100_000_000),
        ("SOL", "USDC", 1_000_000_000),
        ("USDC", "SOL", 150_000_000),
    ];
    for name in ALL {
        let live = live(name, "", "").await;
        let asked = |input: &str, output: &str| Ask {
            input: input.into(),
            output: output.into(),
            mode: Mode::ExactIn,
            amount: 1,
        };
        let traded = pairs.into_iter().filter(|(input, output, _)| live.stage.venue.trades(&asked(input, output)));
        let mut done = 0;
        for (n, (input, output, amount)) in traded.enumerate() {
            for mode in [Mode::ExactIn, Mode::ExactOut] {
                let amount = if mode == Mode::ExactIn { amount } else { 100_000_000 };
                let quote = live.stage.quote(input, output, mode, amount).await.expect("a quote");
                let prepared = live.prepared(&format!("{n}{mode:?}"), &quote).await.expect("a transaction");
                let before = [live.held(input), live.held(output)];
                live.sent(&prepared).await.expect("taken");
                done += 1;
                let ended = live.end(&prepared).await;
                let Outcome::Confirmed { amount_in, amount_out, .. } = ended else {
                    panic!("{name} {input} {output}: {ended:?}")
                };
                match mode {
                    Mode::ExactIn => assert_eq!(amount_in, amount),
                    Mode::ExactOut => assert_eq!(amount_out, amount),
                }
                let moved = |amount: u128| i128::try_from(amount).expect("small");
                // Native SOL pays fees, and the rent of what is left open.
                if input != "SOL" {
                    assert_eq!(before[0] - live.held(input), moved(amount_in), "{name} {input} {output} {mode:?}");
                }
                if output != "SOL" {
                    assert_eq!(live.held(output) - before[1], moved(amount_out), "{name} {input} {output} {mode:?}");
                }
            }
        }
        assert_eq!((live.stage.executed)(), done);
        assert!(done >= 6, "{name}");
    }
}

#[tokio::test]
async fn preparing_touches_nothing_and_every_build_is_another() {
    for name in ALL {
        let live = live(name, "", "").await;
        let quote = sol_for_usdc(&live).await;
        let mut ids = Vec::new();
        for id in ["order-1", "order-2", "order-3"] {
            let prepared = live.prepared(id, &quote).await.expect("a transaction");
            assert!(prepared.bytes.len() <= 8_192 && &*prepared.venue == live.stage.venue.name());
            assert_eq!(live.stage.fate(&prepared).await, Outcome::Open);
            ids.push(prepared.id);
        }
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), (live.stage.executed)()), (3, 0), "{name}");
    }
}

#[tokio::test]
async fn the_same_bytes_execute_once_and_changed_ones_never() {
    for name in ALL {
        let live = live(name, "", "").await;
        super::changed_bytes_are_refused(&live.stage).await;
        let prepared = live.prepared("order-1", &sol_for_usdc(&live).await).await.expect("a transaction");
        live.sent(&prepared).await.expect("taken");
        let ended = live.end(&prepared).await;
        for _ in 0..3 {
            live.sent(&prepared).await.expect("taken again");
        }
        assert_eq!((live.end(&prepared).await, (live.stage.executed)()), (ended, 1), "{name}");
    }
}

#[tokio::test]
async fn the_unsent_expires_at_a_finalised_height() {
    for name in ALL {
        let live = live(name, "", "").await;
        let prepared = live.prepared("order-1", &sol_for_usdc(&live).await).await.expect("a transaction");
        assert_eq!(live.stage.fate(&prepared).await, Outcome::Open);
        // Past its expiry, and not yet finalised past it.
        (live.stage.pass_slots)(190);
        assert_eq!(live.stage.fate(&prepared).await, Outcome::Open);
        (live.stage.pass_slots)(1_000);
        assert_eq!(live.end(&prepared).await, Outcome::Expired);
        assert!(matches!(live.stage.venue.submit(&prepared).await, Err(VenueError::Failed(_))));
        assert_eq!((live.stage.executed)(), 0);
    }
}

#[tokio::test]
async fn batches_are_answered_in_order() {
    for name in ALL {
        let live = live(name, "", "").await;
        let mut batch = Vec::new();
        for n in 0..5 {
            let prepared = live.prepared(&n.to_string(), &sol_for_usdc(&live).await).await.expect("a transaction");
            if n % 2 == 0 {
                live.sent(&prepared).await.expect("taken");
                live.end(&prepared).await;
            }
            batch.push(Arc::new(prepared));
        }
        let venue = &live.stage.venue;
        let fates = venue.look_up(&batch).await.expect("answers");
        let done: Vec<_> = fates.iter().map(|fate| matches!(fate, Outcome::Confirmed { .. })).collect();
        assert_eq!(done, [true, false, true, false, true], "{name}");
        assert_eq!(venue.look_up(&[]).await, Ok(Vec::new()));
        let full = vec![Arc::clone(&batch[0]); LOOK_UP_LIMIT];
        assert_eq!(venue.look_up(&full).await.map(|fates| fates.len()), Ok(LOOK_UP_LIMIT));
        assert!(venue.look_up(&vec![Arc::clone(&batch[0]); LOOK_UP_LIMIT + 1]).await.is_err());
    }
}

#[tokio::test]
async fn a_limit_is_met_by_less_slippage_or_not_at_all() {
    for name in ALL {
        let live = live(name, "", "").await;
        for (mode, amount) in [(Mode::ExactIn, ONE_SOL), (Mode::ExactOut, 100_000_000)] {
            let loose = live.stage.quote("SOL", "USDC", mode, amount).await.expect("a quote");
            let tight = match mode {
                Mode::ExactIn => loose.amount_out * 9_998 / 10_000,
                Mode::ExactOut => loose.amount_in * 10_002 / 10_000,
            };
            let prepared = live.stage.venue.prepare(&order(&format!("{mode:?}"), loose.clone(), tight)).await;
            let prepared = prepared.expect("less slippage");
            live.sent(&prepared).await.expect("taken");
            assert!(matches!(live.end(&prepared).await, Outcome::Confirmed { .. }), "{name}");
            let beyond = match mode {
                Mode::ExactIn => loose.amount_out * 102 / 100,
                Mode::ExactOut => loose.amount_in * 98 / 100,
            };
            let refused = live.stage.venue.prepare(&order("beyond", loose, beyond)).await;
            assert!(matches!(refused, Err(VenueError::NoRoute(_))), "{name}: {refused:?}");
            let asked = Ask { input: "SOL".into(), output: "USDC".into(), mode, amount };
            let inquiry = Inquiry { ask: asked, slippage_bps: 50, limit: Some(tight) };
            assert!(live.stage.venue.quote(&inquiry).await.is_ok());
        }
    }
}

#[tokio::test]
async fn what_the_venue_builds_wrong_is_never_signed() {
    for (name, fault) in [
        ("jupiter", "jupiter.wrong_mint=1.0"),
        ("jupiter", "jupiter.short_output=1.0"),
        ("raydium", "raydium.wrong_mint=1.0"),
        ("raydium", "raydium.short_output=1.0"),
    ] {
        let live = live(name, fault, "").await;
        let quote = sol_for_usdc(&live).await;
        let refused = live.prepared("order-1", &quote).await;
        assert!(
            matches!(refused, Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", .. })),
            "{fault}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_fee_beyond_the_ceiling_is_never_signed() {
    for name in ALL {
        let live = live(name, "", "&max-fee-lamports=10").await;
        let refused = live.prepared("order-1", &sol_for_usdc(&live).await).await;
        let Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", message }) = refused else { panic!("{refused:?}") };
        assert!(message.contains("more than 10"), "{message}");
    }
}
