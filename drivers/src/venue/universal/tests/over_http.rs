//! The venue at its own address: orders of the native API, and a venue that misbehaves.

use std::os::unix::fs::PermissionsExt;

use domain::token::Registry;
use simnet::Retention;
use simnet::faults::{Fault as Trouble, Faults, Front, Often};
use simnet::universal::Rfq;
use simnet::universal::http::{BASE, Desk, serve};
use tokio::net::TcpListener;

use super::*;
use crate::venue::universal::open;

/// A venue, the process that it is in, and the file of the key that signs.
struct Stage {
    venue: Arc<dyn Venue>,
    desk: Desk,
    _folder: tempfile::TempDir,
}

/// A registry with Universal's ether on Base.
fn tokens() -> Arc<Registry> {
    let contract = TOKENS.iter().find(|token| token.name == "ETH").expect("ether").contract();
    let mut tokens = Registry::default();
    let file = format!(
        r#"[{{"symbol":"uETH","mint":"{contract}","decimals":18}},{{"symbol":"uXYZ","mint":"x","decimals":18}}]"#
    );
    tokens.extend_from_json(&file).expect("a good file");
    Arc::new(tokens)
}

async fn stage() -> Stage {
    let folder = tempfile::tempdir().expect("a folder");
    let (desk, base) = relayer().await;
    let path = folder.path().join("key");
    std::fs::write(&path, "11".repeat(32)).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    let url = format!("{base}?evm-key-file={}", path.display());
    Stage { venue: open(&url, &tokens(), None).expect("a venue"), desk, _folder: folder }
}

/// A simulated venue, and where it is.
async fn relayer() -> (Desk, String) {
    let desk = Desk {
        rfq: Arc::new(Rfq::new(1, Retention::Everything)),
        clock: Arc::new(Clock::wall()),
        faults: Arc::new(Faults::none(1)),
        fill_millis: 0,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}{BASE}", listener.local_addr().expect("an address"));
    tokio::spawn(serve(listener, desk.clone()));
    (desk, base)
}

fn ask(input: &str, output: &str, mode: Mode, amount: u128) -> Ask {
    Ask { input: input.into(), output: output.into(), mode, amount }
}

impl Stage {
    /// An order of the native API, built.
    async fn prepared(&self, ask: Ask) -> Result<Prepared, VenueError> {
        let quote = self.venue.quote(&ask.into()).await?;
        let limit = if quote.ask.mode == Mode::ExactIn { quote.amount_out } else { quote.amount_in };
        let order = Order { account: Owner::default(), id: "o-1".to_owned(), attempt: 1, quote, limit };
        self.venue.prepare(&order).await
    }

    fn strike(&self, fault: Trouble) {
        self.desk.faults.set(Front::Universal, fault, Often::Count(1));
    }

    fn filled(&self) -> usize {
        self.desk.rfq.ledger(0, 0, u64::MAX).1
    }
}

#[tokio::test]
async fn orders_of_the_native_api_are_signed_here_and_filled_to_the_unit() {
    let stage = stage().await;
    let one = 1_000_000_000_000_000_000;
    for (ask, paid, received) in [
        (ask("USDC", "uETH", Mode::ExactIn, 3_006_000_000), 3_006_000_000, one),
        (ask("USDC", "uETH", Mode::ExactOut, one), 3_006_000_000, one),
        (ask("uETH", "USDC", Mode::ExactIn, one), one, 2_994_000_000),
        (ask("uETH", "USDC", Mode::ExactOut, 2_994_000_000), one, 2_994_000_000),
    ] {
        assert!(stage.venue.trades(&ask));
        let prepared = stage.prepared(ask).await.expect("bytes");
        stage.venue.submit(&prepared).await.expect("taken");
        stage.venue.submit(&prepared).await.expect("taken before");
        let expected = Outcome::Confirmed { amount_in: paid, amount_out: received, slot: 0 };
        assert_eq!(look_up(stage.venue.as_ref(), &prepared).await, expected);
        assert!(stage.venue.receipt(&prepared).is_some());
        stage.venue.settled(&prepared);
        assert_eq!(look_up(stage.venue.as_ref(), &prepared).await, expected, "the same order again says which it was");
    }
    assert_eq!(stage.filled(), 4);
    for (input, output) in [("SOL", "USDC"), ("USDC", "ETH"), ("USDC", "uBTC"), ("USDC", "uXYZ"), ("uETH", "SOL")] {
        assert!(!stage.venue.trades(&ask(input, output, Mode::ExactIn, 1)), "{input} {output}");
    }
}

#[tokio::test]
async fn what_is_not_what_was_asked_for_is_not_signed() {
    let stage = stage().await;
    let whole = || ask("USDC", "uETH", Mode::ExactIn, 3_006_000_000);
    stage.strike(Trouble::WrongMint);
    let refused = stage.prepared(whole()).await;
    assert!(matches!(&refused, Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", .. })), "{refused:?}");
    stage.strike(Trouble::StaleQuote);
    let refused = stage.prepared(whole()).await;
    assert!(matches!(&refused, Err(VenueError::Failed(why)) if why.contains("no longer firm")), "{refused:?}");

    let quote = stage.venue.quote(&whole().into()).await.expect("a quote");
    let with = |name: &str, value: Value| {
        let mut opaque: Value = serde_json::from_str(quote.opaque.as_deref().expect("JSON")).expect("JSON");
        opaque[name] = value;
        Quote { opaque: Some(opaque.to_string().into()), ..quote.clone() }
    };
    for changed in [
        with("token_amount", json!("1")),
        with("pair_token_amount", json!("9999999999")),
        with("token", json!("ADA")),
        with("user_address", json!("0x1111111111111111111111111111111111111111")),
        with("blockchain", json!("WORLD")),
        with("merchant_address", json!("nobody")),
        with("relayer_nonce", json!("x")),
    ] {
        let order = Order { account: Owner::default(), id: "o-1".to_owned(), attempt: 1, limit: 1, quote: changed };
        let refused = stage.venue.prepare(&order).await;
        assert!(matches!(&refused, Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", .. })), "{refused:?}");
    }
    let beyond =
        Order { account: Owner::default(), id: "o-1".to_owned(), attempt: 1, limit: quote.amount_out + 1, quote };
    assert!(matches!(
        stage.venue.prepare(&beyond).await,
        Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", .. })
    ));
    assert_eq!(stage.filled(), 0);
}

#[tokio::test]
async fn on_solana_the_wallet_signs_what_it_can_read() {
    let ether = TOKENS.iter().find(|token| token.name == "ETH").expect("ether");
    let mint = simnet::universal::exchange::mint(ether);
    let mut tokens = Registry::default();
    let file = format!(r#"[{{"symbol":"uETH","mint":"{mint}","decimals":9}}]"#);
    tokens.extend_from_json(&file).expect("a good file");
    let signer = crate::venue::Signer::of_key(ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
    let (desk, base) = relayer().await;
    let venue = open(&format!("{base}?chain=SOLANA"), &Arc::new(tokens), Some(&signer)).expect("a venue");
    let ask = ask("USDC", "uETH", Mode::ExactIn, 3_006_000_000);
    let quote = venue.quote(&ask.into()).await.expect("a quote");
    let order = |quote: Quote| Order { account: Owner::default(), id: "o-1".to_owned(), attempt: 1, limit: 1, quote };
    let mut other: Value = serde_json::from_str(quote.opaque.as_deref().expect("JSON")).expect("JSON");
    let another = venue.quote(&ask_for(6_012_000_000).into()).await.expect("a quote");
    let another: Value = serde_json::from_str(another.opaque.as_deref().expect("JSON")).expect("JSON");
    other["transaction"] = another["transaction"].clone();
    let refused = venue.prepare(&order(Quote { opaque: Some(other.to_string().into()), ..quote.clone() })).await;
    assert!(matches!(&refused, Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", .. })), "{refused:?}");
    let prepared = venue.prepare(&order(quote)).await.expect("bytes");
    let expected = Outcome::Confirmed { amount_in: 3_006_000_000, amount_out: 1_000_000_000, slot: 0 };
    assert_eq!(look_up(venue.as_ref(), &prepared).await, expected);
    assert_eq!(desk.rfq.ledger(0, 0, u64::MAX).1, 1);
}

fn ask_for(amount: u128) -> Ask {
    ask("USDC", "uETH", Mode::ExactIn, amount)
}

#[tokio::test]
async fn what_was_received_is_told_as_the_venue_says_and_what_is_never_filled_fails() {
    let stage = stage().await;
    let whole = || ask("USDC", "uETH", Mode::ExactIn, 3_006_000_000);
    stage.strike(Trouble::ShortOutput);
    let short = stage.prepared(whole()).await.expect("bytes");
    let expected = Outcome::Confirmed { amount_in: 3_006_000_000, amount_out: 800_000_000_000_000_000, slot: 0 };
    assert_eq!(look_up(stage.venue.as_ref(), &short).await, expected);
    stage.strike(Trouble::Late);
    let late = stage.prepared(whole()).await.expect("bytes");
    assert_eq!(look_up(stage.venue.as_ref(), &late).await, Outcome::Open);
    stage.strike(Trouble::Dropped);
    let dropped = stage.prepared(whole()).await.expect("bytes");
    assert_eq!(look_up(stage.venue.as_ref(), &dropped).await, Outcome::Open);
    let forged =
        Prepared { bytes: dropped.bytes.replace("\"signature\":\"0x", "\"signature\":\"0x00"), ..dropped.clone() };
    let forged = Prepared { id: "forged".to_owned(), ..forged };
    let outcome = look_up(stage.venue.as_ref(), &forged).await;
    assert!(matches!(&outcome, Outcome::Failed { code, .. } if code == "BAD_SIGNATURE"), "{outcome:?}");
    // Of many one fails: the others are answered all the same, and it is asked for again.
    let batch = [short, late].map(Arc::new);
    assert_eq!(stage.venue.look_up(&batch).await, Ok(vec![expected, Outcome::Open]));
}

#[test]
fn options_say_what_is_wrong_without_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        path.display().to_string()
    };
    let (open_key, no_key) = (file("open", &"11".repeat(32), 0o644), file("none", "hunter2", 0o600));
    for (options, says) in [
        ("?speed=1".to_owned(), "no parameter"),
        ("?chain=SOLANA".to_owned(), "needs a wallet"),
        (format!("?chain=SOLANA&evm-key-file={no_key}"), "leave it out"),
        ("?chain=MARS".to_owned(), "expected ARBITRUM"),
        ("?reactor=0x1".to_owned(), "not an address"),
        (format!("?evm-key-file={open_key}"), "chmod 600"),
        (format!("?evm-key-file={no_key}"), "not a private key"),
        (format!("?key-file={open_key}"), "chmod 600"),
    ] {
        let error = open(&format!("https://host{options}"), &tokens(), None).err().expect("a refusal").to_string();
        assert!(error.contains(says) && !error.contains("hunter2") && !error.contains("1111"), "{options}: {error}");
    }
    let signer = file("good", &format!("0x{}\n", "11".repeat(32)), 0o600);
    assert!(open(&format!("https://host/api?evm-key-file={signer}&chain=WORLD&rate=5"), &tokens(), None).is_ok());
    let plain = open("https://host/api", &tokens(), None).expect("a venue");
    assert!(!plain.trades(&ask("USDC", "uETH", Mode::ExactIn, 1)), "nobody signs");
}
