//! The front over a real socket: its answers, and what it refuses.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::{Amount, Ask, Retention, Settings, Swap, Token, Venue};

const NOW: u64 = 1_800_000_000_000;

struct Served {
    address: std::net::SocketAddr,
    world: Arc<World>,
}

async fn served(options: &str) -> Served {
    let token = |symbol: &str, price| Token {
        symbol: symbol.into(),
        mint: symbol.into(),
        decimals: 6,
        reference_price: Some(price),
        native: false,
    };
    let tokens = vec![token("SOL", 150_000_000_000_000), token("USDC", 1_000_000_000_000)];
    let settings = Settings::parse(options).expect("good options");
    let world = Arc::new(World::new(settings, tokens, Retention::Everything, NOW).expect("a world"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let clock = Arc::new(Clock::standing_at(NOW));
    tokio::spawn(serve(listener, Arc::clone(&world), clock, std::future::pending()));
    Served { address, world }
}

impl Served {
    /// The status and the JSON body of an answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // A body that is too long is refused by its declared length; sending it would race with the closing.
        let sent = if body.len() > BODY_BYTES { "" } else { body };
        stream.write_all(format!("{head}{sent}").as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        (status, serde_json::from_str(body).unwrap_or_else(|e| panic!("{path}: {e}: {body:?}")))
    }
}

#[tokio::test]
async fn the_ledger_lists_executions_in_pages() {
    let served = served("pace=instant").await;
    let ask = Ask { venue: Venue::Meteora, input: "SOL", output: "USDC", amount: Amount::In(1_000) };
    let quote = served.world.quote(&ask, NOW).expect("a quote");
    for n in 0..5 {
        let order = format!("order-{n}");
        let swap = Swap {
            account: "anna",
            input_mint: "SOL",
            wrap: false,
            output_mint: "USDC",
            unwrap: false,
            amount: Amount::In(1_000),
            limit: 0,
            steps: quote.steps(ask.amount),
            order: &order,
            build: n + 1,
        };
        let signed = served.world.sign(&swap, &served.world.blockhash(NOW)).expect("it fits");
        let body = serde_json::json!({"transaction": signed.bytes}).to_string();
        let (status, answer) = served.ask("POST", "/transactions", &body).await;
        assert_eq!((status, answer["id"].as_str()), (200, Some(signed.id.as_str())));
    }
    let (status, page) = served.ask("GET", "/ledger?after=1&limit=2", "").await;
    assert_eq!((status, page["total"].as_u64()), (200, Some(5)));
    let page: wire::LedgerPage = serde_json::from_value(page).expect("a page");
    let seen: Vec<_> = page.executions.iter().map(|e| (e.index, e.order_id.as_str(), e.build)).collect();
    assert_eq!(seen, [(2, "order-1", 2), (3, "order-2", 3)]);
    assert!(page.executions.iter().all(|e| e.account == "anna" && e.amount_in == 1_000 && e.amount_out > 100_000));
}

#[tokio::test]
async fn wallets_and_health_are_readable() {
    let served = served("balance=3").await;
    let (status, wallet) = served.ask("GET", "/wallets/anna", "").await;
    assert_eq!((status, &wallet["balances"][0]["amount"]), (200, &"3000000".into()));
    assert_eq!(wallet["address"].as_str(), Some(served.world.wallets().address("anna").as_str()));
    let (status, health) = served.ask("GET", "/health", "").await;
    assert_eq!((status, health["status"].as_str()), (200, Some("ok")));
    assert_eq!(health["slot"].as_u64(), health["finalised"].as_u64().map(|slot| slot + 32));
}

#[tokio::test]
async fn bad_requests_are_explained() {
    let served = served("pace=instant").await;
    let quote = |amount: &str| {
        format!(r#"{{"venue":"Tradewind","input":"SOL","output":"USDC","mode":"exactIn","amount":{amount}}}"#)
    };
    let long = format!(r#"{{"transaction":"{}"}}"#, "A".repeat(BODY_BYTES));
    let many = serde_json::json!({"transactions": vec![serde_json::json!({"id": "x", "expiresAtHeight": 1}); 257]});
    for (method, path, body, status, code) in [
        ("GET", "/nothing", String::new(), 404, "NOT_FOUND"),
        ("DELETE", "/quote", String::new(), 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/quote", "{".to_owned(), 400, "MALFORMED_REQUEST"),
        ("POST", "/quote", quote("5"), 400, "MALFORMED_REQUEST"),
        ("POST", "/quote", quote("\"-5\""), 400, "MALFORMED_REQUEST"),
        ("POST", "/quote", quote("\"0\""), 422, "NO_ROUTE"),
        ("POST", "/transactions", long, 413, "UNREADABLE_BODY"),
        ("POST", "/transactions", r#"{"transaction":"AAAA"}"#.to_owned(), 400, "MALFORMED_TRANSACTION"),
        ("POST", "/transactions/status", many.to_string(), 422, "TOO_MANY"),
        ("GET", "/ledger?after=x", String::new(), 400, "MALFORMED_REQUEST"),
    ] {
        let (seen, problem) = served.ask(method, path, &body).await;
        assert_eq!((seen, problem["code"].as_str()), (status, Some(code)), "{method} {path}: {problem}");
    }
    let (status, _) = served.ask("POST", "/quote", &quote("\"1000\"")).await;
    assert_eq!(status, 200);
}
