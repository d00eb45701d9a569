//! Posts to real listeners, well behaved and not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::RootCertStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

mod tls;

/// Longer than anything here should take.
const LIMIT: Duration = Duration::from_secs(20);

fn options(allow: &[&str]) -> Options {
    Options {
        allow: allow.iter().map(|network| network.parse().unwrap()).collect(),
        connect_within: Duration::from_secs(5),
        answer_within: Duration::from_secs(10),
    }
}

fn loopback() -> Sender {
    Sender::new(options(&["127.0.0.0/8", "::1"])).unwrap()
}

async fn post(sender: &Sender, url: &str) -> Result<Answer, NoAnswer> {
    let body = Bytes::from_static(br#"{"type":"deal.created"}"#);
    let post = Post { url, id: "an-id", timestamp: 1_800_000_000, signature: "v1,c2ln", body };
    timeout(LIMIT, sender.post(post)).await.expect("an end in time")
}

/// A request as its receiver sees it: the head up to the empty line, then the body.
async fn receive(stream: &mut TcpStream) -> Option<String> {
    let mut seen = Vec::new();
    loop {
        let mut bytes = [0; 4_096];
        let read = stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
        seen.extend_from_slice(&bytes[..read]);
        if seen.ends_with(b"}") {
            return Some(String::from_utf8(seen).unwrap());
        }
    }
}

/// A listener whose every connection is served by `serve`; its address, and how many connections it took.
async fn listen<F: Future<Output = ()> + Send>(
    serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let serve = Arc::clone(&serve);
            tokio::spawn(async move { serve(stream).await });
        }
    });
    (address, taken)
}

/// Answers every request of a connection with the same bytes.
async fn answering(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    listen(move |mut stream| async move {
        while receive(&mut stream).await.is_some() {
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_post_is_what_the_specification_says_and_its_connection_is_kept() {
    let (tell, mut told) = tokio::sync::mpsc::channel(16);
    let (address, taken) = listen(move |mut stream| {
        let tell = tell.clone();
        async move {
            while let Some(request) = receive(&mut stream).await {
                tell.send(request).await.unwrap();
                stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
            }
        }
    })
    .await;
    let sender = loopback();
    for _ in 0..5 {
        let answer = post(&sender, &format!("http://{address}/in?a=b#part")).await.unwrap();
        assert_eq!(answer, Answer { status: 201, body: b"done".to_vec(), retry_after: None });
        let request = told.recv().await.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, r#"{"type":"deal.created"}"#);
        let mut lines: Vec<_> = head.lines().collect();
        assert_eq!(lines.remove(0), "POST /in?a=b HTTP/1.1");
        lines.sort_unstable();
        let host = format!("host: {address}");
        let agent = concat!("user-agent: tradewind/", env!("CARGO_PKG_VERSION"));
        let expected = [
            "content-length: 23",
            "content-type: application/json",
            &host,
            agent,
            "webhook-id: an-id",
            "webhook-signature: v1,c2ln",
            "webhook-timestamp: 1800000000",
        ];
        assert_eq!(lines, expected);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1, "one connection for all");
}

#[tokio::test]
async fn redirects_and_refusals_are_answers() {
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (address, taken) = answering(elsewhere).await;
    let answer = post(&loopback(), &format!("http://{address}/")).await.unwrap();
    assert_eq!((answer.status, taken.load(Ordering::SeqCst)), (307, 1), "and nobody went there");
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n";
    let (address, _) = answering(busy).await;
    let answer = post(&loopback(), &format!("http://{address}/")).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(17))));
    let zipped = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc";
    let (address, _) = answering(zipped).await;
    assert_eq!(post(&loopback(), &format!("http://{address}/")).await.unwrap().body, b"abc", "as it came");
}

#[tokio::test]
async fn addresses_that_are_not_public_are_not_connected_to() {
    let (address, taken) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = address.port();
    let sender = Sender::new(options(&[])).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "0x7f.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1]",
        "[::7f00:1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ] {
        let url = format!("http://{host}:{port}/");
        let answer = post(&sender, &url).await;
        assert!(matches!(answer, Err(NoAnswer::Forbidden(_))), "{url}: {answer:?}");
        assert_eq!(check_url(&url, &[]).is_ok(), host == "localhost", "{url}");
        assert!(check_url(&url, &["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]).is_ok(), "{url}");
    }
    for url in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://me@example.com/",
        "https://me:pw@example.com/",
        "http://:pw@example.com/",
        "http://",
        "example.com",
        "/in",
        "",
        "http://example.com:0/",
        "http://a b/",
    ] {
        assert!(check_url(url, &[]).is_err(), "{url:?}");
        assert!(matches!(post(&sender, url).await, Err(NoAnswer::Forbidden(_))), "{url:?}");
    }
    assert!(check_url(&format!("https://example.com/{}", "a".repeat(3_000)), &[]).is_err());
    assert_eq!(check_url("https://example.com/in?key=1", &[]), Ok(()));
    assert_eq!(taken.load(Ordering::SeqCst), 0, "nobody came");
    assert_eq!(post(&loopback(), &format!("http://localhost:{port}/")).await.map(|answer| answer.status), Ok(200));
}

/// A name that leads to a public address when it is checked and inside when it is used gains nothing: every connection is
/// judged by the look-up that it is made from.
#[tokio::test]
async fn a_name_that_turns_inside_is_not_followed() {
    let (address, taken) = answering("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // 127.0.0.2 plays the public address here, and 127.0.0.1 what lies inside.
    let answers = [["127.0.0.2"].as_slice(), &["127.0.0.1"], &["127.0.0.1", "127.0.0.2"], &["::ffff:127.0.0.1"], &[]];
    let names = Names::by(Arc::new(move |name| {
        assert_eq!(name, "turns.example");
        let answer = answers[count.fetch_add(1, Ordering::SeqCst)];
        Box::pin(async move { Ok(answer.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect()) })
    }));
    let sender = Sender::trusting(options(&["127.0.0.2"]), RootCertStore::empty(), names).unwrap();
    let public = TcpListener::bind(("127.0.0.2", address.port())).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = public.accept().await {
            receive(&mut stream).await;
            let closing = b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(closing).await.unwrap();
        }
    });
    let url = format!("http://turns.example:{}/", address.port());
    let denied = Err(NoAnswer::Forbidden("turns.example leads to no address that is allowed".to_owned()));
    assert_eq!(post(&sender, &url).await.map(|answer| answer.status), Ok(202));
    assert_eq!(post(&sender, &url).await, denied);
    assert_eq!(post(&sender, &url).await.map(|answer| answer.status), Ok(202), "only the allowed one of two");
    assert_eq!(post(&sender, &url).await, denied);
    assert!(matches!(post(&sender, &url).await, Err(NoAnswer::Failed(said)) if said.contains("no address")));
    assert_eq!((asked.load(Ordering::SeqCst), taken.load(Ordering::SeqCst)), (5, 0), "nobody came inside");
}

/// A queue of connections that is full stays silent, as an address does that nobody is at.
#[tokio::test]
async fn a_silent_address_leaves_time_for_the_next() {
    let (address, _) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind(SocketAddr::new([127, 0, 0, 3].into(), address.port())).unwrap();
    let silent = silent.listen(1).unwrap();
    let mut full = Vec::new();
    let connect = || timeout(Duration::from_millis(300), TcpStream::connect(silent.local_addr().unwrap()));
    while let Ok(connected) = connect().await {
        full.push(connected.unwrap());
    }
    let names = Names::by(Arc::new(|_| {
        let found = ["127.0.0.3", "127.0.0.1"].map(|address| address.parse::<IpAddr>().unwrap());
        Box::pin(async move { Ok(found.to_vec()) })
    }));
    let options = Options { connect_within: Duration::from_secs(1), ..options(&["127.0.0.0/8"]) };
    let sender = Sender::trusting(options, RootCertStore::empty(), names).unwrap();
    let answer = post(&sender, &format!("http://two.example:{}/", address.port())).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200));
}

#[tokio::test]
async fn one_look_up_at_a_time_for_a_name() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, never) = (Arc::clone(&asked), Arc::new(tokio::sync::Semaphore::new(0)));
    let names = Names::by(Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let never = Arc::clone(&never);
        Box::pin(async move {
            let _ = never.acquire().await;
            Ok(Vec::new())
        })
    }));
    let options = Options { connect_within: Duration::from_millis(50), ..options(&[]) };
    let sender = Sender::trusting(options, RootCertStore::empty(), names).unwrap();
    let posts = (0..20).map(|_| post(&sender, "http://silent.example/"));
    for answer in futures_util::future::join_all(posts).await {
        assert!(matches!(&answer, Err(NoAnswer::Failed(said)) if said.contains("within")), "{answer:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_endless_body_ends_at_4_kib_with_its_connection() {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let (address, _) = listen(move |mut stream| {
        let tell = tell.clone();
        async move {
            receive(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            while stream.write_all(b"5\r\nabcde\r\n").await.is_ok() {}
            tell.send(()).await.unwrap();
        }
    })
    .await;
    let answer = post(&loopback(), &format!("http://{address}/")).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 4_096));
    assert!(answer.body.starts_with(b"abcdeabcde"));
    timeout(LIMIT, told.recv()).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_holds_nothing_up() {
    let (address, _) = listen(|mut stream| async move {
        receive(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let answer = post(&loopback(), &format!("http://{address}/")).await;
    assert_eq!(answer, Ok(Answer { status: 200, body: b"half".to_vec(), retry_after: None }));
}

#[tokio::test]
async fn heads_have_a_deadline_and_a_limit() {
    let slow = Sender::new(Options { answer_within: Duration::from_millis(300), ..options(&["127.0.0.1"]) }).unwrap();
    let (address, _) = listen(|mut stream| async move {
        receive(&mut stream).await;
        let mut line = "HTTP/1.1 200 OK\r\n".to_owned();
        while stream.write_all(line.as_bytes()).await.is_ok() {
            "x-more: 1\r\n".clone_into(&mut line);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let answer = post(&slow, &format!("http://{address}/")).await;
    assert_eq!(answer, Err(NoAnswer::Failed("no answer within 300ms".to_owned())));
    let (address, _) = listen(|mut stream| async move {
        receive(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(format!("x-more: {}\r\n", "a".repeat(2_000)).as_bytes()).await.is_ok() {}
    })
    .await;
    let answer = post(&loopback(), &format!("http://{address}/")).await;
    assert!(matches!(&answer, Err(NoAnswer::Failed(said)) if !said.contains("within")), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_answer_says_so_without_the_url() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (closing, _) = listen(|mut stream| async move { drop(receive(&mut stream).await) }).await;
    let (babbling, _) = answering("SSH-2.0-OpenSSH_9.2\r\n").await;
    for address in [gone, closing, babbling] {
        let answer = post(&loopback(), &format!("http://{address}/in?token=hunter2")).await;
        let Err(NoAnswer::Failed(said)) = answer else { panic!("{answer:?}") };
        assert!(!said.contains("hunter2") && !said.contains('\n') && said.len() < 400, "{said}");
    }
}
