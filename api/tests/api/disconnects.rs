//! Clients that go away in mid-request lose nothing and duplicate nothing: what they repeat with the same key is done once.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::deals::chairs;
use crate::site::{Site, answered};

const DEALS: usize = 40;

/// Draws by a fixed rule, so that every run breaks off at the same points.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Sends a request, or a part of it, and goes away: at once, after a while, or after a part of the answer.
async fn break_off(host: &str, request: &[u8], draw: &mut Draw) {
    let mut tcp = TcpStream::connect(host).await.expect("a connection");
    // A connection that is reset rather than closed, as when a client dies.
    tcp.set_zero_linger().expect("an option");
    let length = request.len() as u64;
    let sent = if draw.below(4) == 0 { draw.below(length) } else { length };
    let part = &request[..usize::try_from(sent).expect("a length")];
    tcp.write_all(part).await.expect("sent");
    match draw.below(3) {
        0 => {}
        1 => tokio::time::sleep(Duration::from_micros(draw.below(3_000))).await,
        _ if sent == length => {
            let mut answer = [0; 16];
            let _ = tcp.read(&mut answer).await;
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deals_of_clients_that_disconnect_are_posted_exactly_once() {
    let site = Site::new().await;
    let (host, body) = (site.host(), chairs().to_string());
    let post = async |n: usize| {
        let request = format!(
            "POST /v1/deals HTTP/1.1\r\nhost: {host}\r\nx-account: acme\r\nidempotency-key: deal-{n}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut draw = Draw(n as u64);
        for _ in 0..3 {
            break_off(&host, request.as_bytes(), &mut draw).await;
        }
        let again = site.caller("acme").ask("POST", "/v1/deals").header("idempotency-key", format!("deal-{n}"));
        let (status, deal) = answered(again.header("content-type", "application/json").body(body.clone())).await;
        assert_eq!(status, 201, "{deal}");
        deal["id"].as_str().expect("an id").to_owned()
    };
    let ids: HashSet<String> = join_all((0..DEALS).map(post)).await.into_iter().collect();
    assert_eq!(ids.len(), DEALS);
    let (_, page) = site.caller("acme").get("/v1/deals?limit=100").await;
    let listed = page["data"].as_array().expect("a list").iter().map(|deal| deal["id"].as_str().expect("an id"));
    assert_eq!(listed.map(str::to_owned).collect::<HashSet<_>>(), ids);
    assert_eq!((page["data"].as_array().map(Vec::len), site.events().await), (Some(DEALS), DEALS as u64));
    site.end().await;
}
