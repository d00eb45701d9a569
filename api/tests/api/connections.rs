//! Connections: how many there may be, and what the next one hears.

use api::{Limits, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::site::{ORDER, PATIENCE, Site, problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_is_told_so_at_once() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let site = Site::within("paper?pace=instant&seed=1", 0, Settings::default(), limits).await;
    let mut first = site.narrow().await;
    first.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert_ne!(first.read(&mut [0; 512]).await.expect("an answer"), 0);
    // Also with a body that nobody wants.
    for request in [site.get("/v1/tokens"), site.post("/v1/swaps", ORDER), site.post("/v1/swaps", vec![b'x'; 60_000])] {
        let answer = request.send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().expect("a value")));
        assert_eq!(answer.headers()["connection"], "close");
        assert_eq!(problem(answer).await["code"], "TOO_MANY_CONNECTIONS");
    }
    assert_eq!(site.events().await, 0);
    drop(first);
    let free = async { while site.get("/v1/tokens").send().await.expect("an answer").status() != 200 {} };
    tokio::time::timeout(PATIENCE, free).await.expect("a place is free again");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_refused_and_stay_silent_hold_nobody_up() {
    let limits = Limits { connections: 0, ..Limits::default() };
    let site = Site::within("paper?pace=instant&seed=1", 0, Settings::default(), limits).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(site.narrow().await);
    }
    let answer = site.get("/v1/tokens").send().await.expect("an answer");
    assert_eq!(problem(answer).await["code"], "TOO_MANY_CONNECTIONS");
    site.end().await;
}
