//! Queues and dead jobs as operators see them over HTTP.

use domain::swap::QUEUE;
use domain::{Change, JobStep, NewJob, Then};
use drivers::journal::Claim;
use engine::clock;
use serde_json::{Value, json};

use crate::site::{Site, body};

const QUEUES: &str = "/v1/admin/queues";
const DEAD: &str = "/v1/admin/dead-jobs";

async fn get(site: &Site, path: &str) -> Value {
    let answer = site.get(path).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    body(answer).await
}

async fn post(site: &Site, path: &str, sent: &Value) -> (u16, Value) {
    let answer = site.post(path, sent.to_string()).send().await.expect("an answer");
    (answer.status().as_u16(), body(answer).await)
}

/// A dead job for each reason, and their numbers.
async fn bury(site: &Site, reasons: &[&str]) -> Vec<String> {
    let (journal, now) = (&site.engine.journal, clock::now());
    let mut ids = Vec::new();
    for reason in reasons {
        let body = "an order".to_owned();
        let job = NewJob { queue: QUEUE.into(), group: None, lane: None, run_at: now, body, dedup: None };
        journal.apply(Change { at: now, jobs: vec![job], ..Change::default() }).await.expect("applied");
        let claim = Claim { queue: QUEUE, limit: 1, per_lane: usize::MAX, narrow: Vec::new(), now };
        let claimed = journal.claim(claim).await.expect("claimed").pop().expect("a job");
        let then = Then::Bury { why: (*reason).to_owned(), park: false };
        let step = Some(JobStep { lease: claimed.lease, then });
        journal.apply(Change { at: now, step, ..Change::default() }).await.expect("buried");
        ids.push(claimed.job.id.to_string());
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn own_queues_are_listed_paged_paused_and_resumed() {
    let site = Site::new().await;
    let all = get(&site, &format!("{QUEUES}?kind=jobs")).await;
    let names: Vec<&str> = all["data"].as_array().expect("queues").iter().filter_map(|q| q["name"].as_str()).collect();
    assert_eq!(names, site.engine.operator.queues());
    // Page by page the same.
    let (mut paged, mut path) = (Vec::new(), format!("{QUEUES}?limit=2"));
    loop {
        let page = get(&site, &path).await;
        let queues = page["data"].as_array().expect("queues");
        assert!(queues.len() <= 2);
        paged.extend(queues.iter().map(|queue| queue["name"].as_str().expect("a name").to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("{QUEUES}?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, names);

    let path = format!("{QUEUES}/{QUEUE}");
    let (status, paused) = post(&site, &format!("{path}/pause"), &json!({})).await;
    assert_eq!((status, &paused["paused"], &paused["pausedBy"]), (200, &json!(true), &json!("default")));
    let order = site.place().await;
    let standing = get(&site, &path).await;
    let counts = ["kind", "depth", "ready", "inFlight", "delayed", "dead", "finishedLastMinute"];
    let shown: Vec<&Value> = counts.iter().map(|name| &standing[*name]).collect();
    let expected = json!(["jobs", 1, 1, 0, 0, 0, 0]);
    assert_eq!(shown, expected.as_array().expect("a list").iter().collect::<Vec<_>>());
    assert!(standing["oldestAgeMillis"].is_u64() && standing["pausedAt"].is_string() && standing["account"].is_null());
    assert_eq!(get(&site, &format!("/v1/swaps/{order}")).await["status"], "pending");

    let (status, running) = post(&site, &format!("{path}/resume"), &json!({})).await;
    assert_eq!((status, &running["paused"], running.get("pausedAt")), (200, &json!(false), None));
    loop {
        let swap = get(&site, &format!("/v1/swaps/{order}")).await;
        if swap["status"] == "confirmed" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let standing = get(&site, &path).await;
    assert_eq!((&standing["depth"], &standing["finishedLastMinute"]), (&json!(0), &json!(1)));
    assert!(standing["ratePerSecond"].as_f64().is_some_and(|rate| rate > 0.0), "{standing}");
    assert_eq!(standing["oldestAgeMillis"], Value::Null);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_to_a_queue_is_said() {
    let site = Site::idle().await;
    let (status, problem) = post(&site, &format!("{QUEUES}/{QUEUE}/purge"), &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("QUEUE_OWN")));
    for path in [format!("{QUEUES}/none"), format!("{QUEUES}/%F0%9F%98%80"), format!("{DEAD}?queue=none")] {
        let answer = site.get(&path).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(body(answer).await["code"], "QUEUE_NOT_FOUND", "{path}");
    }
    for (path, code) in
        [("?kind=other", "INVALID_PARAMETER"), ("?limit=0", "INVALID_PARAMETER"), ("?cursor=x", "INVALID_CURSOR")]
    {
        let answer = site.get(&format!("{QUEUES}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(body(answer).await["code"], code, "{path}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_listed_grouped_retried_and_discarded() {
    let site = Site::idle().await;
    let ids = bury(&site, &["NO_ROUTE: none", "late by 7 s", "late by 12 s", "late by 1 s", "NO_ROUTE: none"]).await;

    let first = get(&site, &format!("{DEAD}?limit=3")).await;
    let cursor = first["nextCursor"].as_str().expect("more");
    let rest = get(&site, &format!("{DEAD}?limit=3&cursor={cursor}")).await;
    let listed = [&first, &rest].map(|page| page["data"].as_array().expect("jobs").clone()).concat();
    assert_eq!(listed.iter().map(|job| job["id"].clone()).collect::<Vec<_>>(), ids);
    assert_eq!((&rest["hasMore"], &rest["nextCursor"]), (&json!(false), &Value::Null));
    let job = get(&site, &format!("{DEAD}/{}", ids[1])).await;
    assert_eq!(job, listed[1]);
    let died = job["diedAt"].clone();
    let expected = json!({"id": ids[1], "queue": QUEUE, "group": null, "lane": null, "attempts": 1,
        "error": "late by 7 s", "diedAt": died, "parked": false, "body": "an order"});
    assert_eq!(job, expected);
    let found = get(&site, &format!("{DEAD}?error=LATE%20by")).await;
    assert_eq!(found["data"].as_array().expect("jobs").len(), 3);

    let groups = get(&site, &format!("{DEAD}/errors?queue={QUEUE}")).await;
    let group = |error: &str, count: u64, newest: &str| {
        let of = groups["data"].as_array().expect("groups").iter().find(|group| group["group"] == error);
        assert_eq!(of.map(|of| (&of["count"], &of["example"])), Some((&json!(count), &json!(newest))), "{groups}");
    };
    group("late by * s", 3, &ids[3]);
    group("NO_ROUTE: none", 2, &ids[4]);
    assert_eq!((&groups["lookedAt"], &groups["hasMore"]), (&json!(5), &json!(false)));

    let (status, retried) = post(&site, &format!("{DEAD}/{}/retry", ids[0]), &json!({})).await;
    assert_eq!((status, &retried["id"]), (200, &json!(ids[0])));
    for again in [format!("{DEAD}/{}/retry", ids[0]), format!("{DEAD}/0/retry"), format!("{DEAD}/x/discard")] {
        let (status, problem) = post(&site, &again, &json!({})).await;
        assert_eq!((status, &problem["code"]), (404, &json!("DEAD_JOB_NOT_FOUND")), "{again}");
    }
    // A group in parts, each of which says that there is more.
    let mut asked = json!({"queue": "*", "group": "late by * s", "limit": 2});
    let (status, part) = post(&site, &format!("{DEAD}/discard"), &asked).await;
    assert_eq!((status, &part["done"], &part["hasMore"]), (200, &json!(2), &json!(true)));
    asked["cursor"] = part["nextCursor"].clone();
    let (_, part) = post(&site, &format!("{DEAD}/discard"), &asked).await;
    assert_eq!(part, json!({"done": 1, "nextCursor": null, "hasMore": false}));
    let (_, all) = post(&site, &format!("{DEAD}/retry"), &json!({"queue": QUEUE, "error": "route"})).await;
    assert_eq!(all["done"], 1);
    assert_eq!(get(&site, DEAD).await["data"], json!([]));
    assert_eq!(get(&site, &format!("{QUEUES}/{QUEUE}")).await["ready"], 2);

    for (sent, status, code) in [
        (json!({}), 400, "FIELD_MISSING"),
        (json!({"queue": "none"}), 404, "QUEUE_NOT_FOUND"),
        (json!({"queue": "*", "limit": 1001}), 422, "OUT_OF_RANGE"),
        (json!({"queue": "*", "cursor": "x"}), 400, "INVALID_CURSOR"),
        (json!({"queue": "*", "all": true}), 400, "UNKNOWN_FIELD"),
    ] {
        let (answered, problem) = post(&site, &format!("{DEAD}/retry"), &sent).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{sent}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_says_nothing_means_nothing() {
    let site = Site::idle().await;
    let long = format!("LONG: {}", "é".repeat(2_000));
    let letters = |n: usize| [n / 26, n % 26].map(|n| char::from(b'a' + u8::try_from(n).expect("a letter")));
    let kinds: Vec<String> = (0..510).map(|n| format!("kind {}", letters(n).iter().collect::<String>())).collect();
    let reasons: Vec<&str> = ["", &*long].into_iter().chain(kinds.iter().map(String::as_str)).collect();
    bury(&site, &reasons).await;
    for (sent, named) in [
        (json!({"queue": "*", "group": ""}), "?group="),
        (json!({"queue": "*", "error": ""}), "?error="),
        (json!({"queue": "*", "group": "(other errors)"}), "?group=(other%20errors)"),
    ] {
        for action in ["retry", "discard"] {
            let (answered, problem) = post(&site, &format!("{DEAD}/{action}"), &sent).await;
            assert_eq!((answered, &problem["code"]), (400, &json!("INVALID_PARAMETER")), "{action} {sent}");
        }
        assert_eq!(site.get(&format!("{DEAD}{named}")).send().await.expect("an answer").status(), 400, "{named}");
    }
    // Each group that is shown is one that can be named, but for those that could not be told apart.
    let groups = get(&site, &format!("{DEAD}/errors")).await;
    let groups = groups["data"].as_array().expect("groups");
    let of =
        |text: &str| groups.iter().find(|group| group["group"].as_str().is_some_and(|name| name.starts_with(text)));
    assert_eq!(of("(other errors)").map(|others| &others["count"]), Some(&json!(12)));
    for text in ["(no error)", "LONG: "] {
        let sent = json!({"queue": "*", "group": of(text).expect("a group")["group"]});
        let (_, part) = post(&site, &format!("{DEAD}/discard"), &sent).await;
        assert_eq!(part, json!({"done": 1, "nextCursor": null, "hasMore": false}), "{text}");
    }
    let (_, part) = post(&site, &format!("{DEAD}/discard"), &json!({"queue": "*"})).await;
    assert_eq!(part["done"], 510);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_of_messages_are_shown_paused_resumed_and_purged() {
    use domain::queue::{Outgoing, Wanted, arn};
    let site = Site::idle().await;
    let (queues, acme) = (&site.engine.queues, domain::Owner::parse("acme").expect("a name"));
    queues.create(&acme, "dead", Wanted::new(), [].into()).await.expect("a queue");
    let redrive = json!({"deadLetterTargetArn": arn::of(&acme, "dead"), "maxReceiveCount": 3}).to_string();
    let wanted = Wanted::from([("RedrivePolicy".to_owned(), redrive)]);
    queues.create(&acme, "mail", wanted, [].into()).await.expect("a queue");
    let message = |text: &str| Outgoing { body: text.to_owned(), ..Outgoing::default() };
    queues.send(&acme, "mail", vec![message("one"), message("two")]).await.expect("sent");
    queues.send(&acme, "dead", vec![message("a letter")]).await.expect("sent");
    let received = queues.receive(&acme, "mail", engine::queues::Wish { max: 1, ..Default::default() }).await;
    assert_eq!(received.expect("received").len(), 1);

    let listed = get(&site, &format!("{QUEUES}?kind=messages")).await;
    let names: Vec<&Value> = listed["data"].as_array().expect("queues").iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["dead", "mail"]);
    let ask = async |method: &str, path: &str| {
        let request = site.request(method, &format!("{QUEUES}/{path}")).header("x-account", "acme");
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), body(answer).await)
    };
    let (_, mail) = ask("GET", "mail").await;
    assert_eq!((&mail["name"], &mail["depth"]), (&listed["data"][1]["name"], &listed["data"][1]["depth"]));
    assert!(mail["oldestAgeMillis"].is_u64(), "{mail}");
    let of = ["kind", "account", "paused", "depth", "ready", "inFlight", "delayed", "dead", "deadLetterQueue"];
    let shown: Vec<&Value> = of.iter().map(|name| &mail[*name]).collect();
    let expected = json!(["messages", "acme", false, 2, 1, 1, 0, 1, "dead"]);
    assert_eq!(shown, expected.as_array().expect("a list").iter().collect::<Vec<_>>());
    // It is nobody else's.
    let answer = site.get(&format!("{QUEUES}/mail")).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);

    let (status, paused) = ask("POST", "mail/pause").await;
    assert_eq!((status, &paused["paused"]), (200, &json!(true)));
    let wish = || engine::queues::Wish { max: 10, ..Default::default() };
    assert_eq!(queues.receive(&acme, "mail", wish()).await.expect("received"), []);
    ask("POST", "mail/resume").await;
    let received = queues.receive(&acme, "mail", wish()).await.expect("received");
    assert_eq!(received.len(), 1);
    queues.delete_messages(&acme, "mail", &[received[0].handle.clone()]).await.expect("deleted");
    assert_eq!(ask("GET", "mail").await.1["finishedLastMinute"], 1);
    let (status, purged) = ask("POST", "mail/purge").await;
    assert_eq!((status, &purged["depth"]), (200, &json!(0)));
    let (status, problem) = ask("POST", "mail/purge").await;
    assert_eq!((status, &problem["code"]), (409, &json!("PURGE_IN_PROGRESS")));
    assert_eq!(ask("POST", "none/pause").await.1["code"], "QUEUE_NOT_FOUND");
    site.end().await;
}
