//! The line against servers that answer as servers do on bad days.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[derive(Debug, Deserialize)]
struct Price {
    price: u64,
}

const WITHIN: Duration = Duration::from_millis(400);

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn good() -> String {
    answer("200 OK", "content-type: application/json\r\n", r#"{"price":7,"colour":"red"}"#)
}

/// A server that gives these answers one after the other, the last one for ever; none to one that is empty. Counts requests
/// and keeps the last of them.
struct Server {
    line: Arc<Line>,
    asked: Arc<AtomicUsize>,
    heard: Arc<Mutex<String>>,
}

async fn server(answers: Vec<String>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/api/", listener.local_addr().unwrap())).unwrap();
    let (asked, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
    let (count, last, answers) = (Arc::clone(&asked), Arc::clone(&heard), Arc::new(answers));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (count, last, answers) = (Arc::clone(&count), Arc::clone(&last), Arc::clone(&answers));
            tokio::spawn(async move {
                let mut bytes = [0; 8_192];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    *last.lock().unwrap() = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    let n = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                    if answers[n] == "close" {
                        return;
                    }
                    stream.write_all(answers[n].as_bytes()).await.unwrap();
                }
            });
        }
    });
    let key = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("hunter2"));
    Server { line: Arc::new(Line::open(&base, Some(key), None).unwrap()), asked, heard }
}

impl Server {
    async fn ask(&self) -> Result<Reply<Price>, VenueError> {
        self.line.ask(Call::get("/price", &[("ids", "a,b")], WITHIN)).await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn failed(reply: Result<Reply<Price>, VenueError>) -> String {
    match reply {
        Err(VenueError::Failed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_answer_is_kept_verbatim() {
    let server = server(vec![good()]).await;
    let Ok(Reply::Said { text, value }) = server.ask().await else { panic!("no answer") };
    assert_eq!((text.as_str(), value.price), (r#"{"price":7,"colour":"red"}"#, 7));
    let heard = server.heard.lock().unwrap().clone();
    assert!(
        heard.starts_with("GET /api/price?ids=a%2Cb HTTP/1.1\r\n") && heard.contains("x-api-key: hunter2"),
        "{heard}"
    );
}

#[tokio::test]
async fn odd_answers_have_a_reason_and_are_asked_once() {
    let html = "content-type: text/html\r\n";
    for (odd, says) in [
        (answer("200 OK", html, "<html>hunter2</html>"), "no JSON (text/html"),
        (answer("200 OK", "", r#"{"price":"#), "cut off"),
        (answer("200 OK", "", r#"{"price":"many"}"#), "not what was asked for"),
        (answer("200 OK", "", "[]"), "not what was asked for"),
        (answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""), "302"),
        (answer("200 OK", "", ""), "cut off"),
    ] {
        let server = server(vec![odd]).await;
        let why = failed(server.ask().await);
        assert!(why.contains(says) && !why.contains("hunter2"), "{why}");
        assert_eq!(server.asked(), 1);
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_and_nothing_else() {
    let busy = answer("503 Service Unavailable", "", r#"{"error":"busy"}"#);
    for first in [busy.clone(), "close".to_owned(), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned()] {
        let whole = first.starts_with("HTTP/1.1 200");
        // A body that never ends takes the deadline, and there is no time for another.
        let server = server(vec![first, good()]).await;
        let reply = server.ask().await;
        assert_eq!(reply.is_ok(), !whole, "{reply:?}");
    }
    let server = server(vec![busy, good()]).await;
    let once = server.line.ask::<Price>(Call::post("/order", "{}", WITHIN)).await;
    assert!(failed(once).contains("503 Service Unavailable: busy"));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn refusals_are_replies() {
    let server = server(vec![answer("400 Bad Request", "", r#"{"error":"no","errorCode":"NO_ROUTES_FOUND"}"#)]).await;
    for _ in 0..10 {
        let Ok(Reply::Refused { status, body }) = server.ask().await else { panic!("no refusal") };
        assert_eq!((status, &body["errorCode"], said(&body).as_deref()), (400, &"NO_ROUTES_FOUND".into(), Some("no")));
    }
    assert_eq!(server.asked(), 10, "a refusal is no failure");
}

#[tokio::test]
async fn five_failures_in_a_row_and_it_rests() {
    let server = server(vec![answer("500 Internal Server Error", "", "")]).await;
    let mut failures = 0;
    let pause = loop {
        match server.ask().await {
            Err(VenueError::Failed(_)) => failures += 1,
            Err(VenueError::Resting { pause_millis, .. }) => break pause_millis,
            other => panic!("{other:?}"),
        }
        assert!(failures < 3);
    };
    assert!((9_000..=10_000).contains(&pause), "{pause}");
    assert_eq!(server.asked(), 5);
}

#[tokio::test]
async fn callers_that_do_not_wait_count_as_failures() {
    let server = server(vec![String::new()]).await;
    for _ in 0..5 {
        let given_up = tokio::time::timeout(Duration::from_millis(20), server.ask()).await;
        assert!(given_up.is_err());
    }
    assert!(matches!(server.ask().await, Err(VenueError::Resting { .. })));
}

#[tokio::test]
async fn a_server_that_says_429_is_left_alone() {
    let date = "date: Thu, 01 Jan 1970 00:00:10 GMT\r\n";
    for (headers, least, most) in [
        ("retry-after: 3\r\n".to_owned(), 2_500, 3_000),
        (format!("{date}x-ratelimit-reset: 17\r\n"), 6_500, 7_000),
        ("x-ratelimit-reset: 9\r\n".to_owned(), 8_500, 9_000),
        ("retry-after: 999999\r\n".to_owned(), 59_000, 60_000),
        (String::new(), 500, 1_000),
    ] {
        let server = server(vec![answer("429 Too Many Requests", &headers, "<html>"), good()]).await;
        for n in 0..3 {
            let Err(VenueError::Resting { pause_millis, .. }) = server.ask().await else { panic!("{headers}") };
            let most = if n == 0 { 999_999_000 } else { most };
            assert!((least..=most).contains(&pause_millis), "{headers}: {pause_millis}");
        }
        assert_eq!(server.asked(), 1);
    }
    let server = server(vec![answer("429 Too Many Requests", "retry-after: 0\r\n", ""), good()]).await;
    let soon = server.line.ask::<Price>(Call::post("/order", "{}", WITHIN)).await;
    assert!(soon.is_ok(), "it was not done, so it may be sent again");
}

#[tokio::test]
async fn answers_have_a_limit() {
    let server = server(vec![answer("200 OK", "", &format!("\"{}\"", "x".repeat(ANSWER_BYTES)))]).await;
    assert!(failed(server.ask().await).contains("too long"));
}

#[tokio::test]
async fn nobody_there_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/?api-key=hunter2", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let line = Line::open(&base, None, None).unwrap();
    let why = failed(line.ask(Call::get("", &[], WITHIN)).await);
    assert!(why.contains("refused") && !why.contains("hunter2"), "{why}");
}
