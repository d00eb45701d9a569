//! Order where it is asked for, and endpoints that are out of order.

use std::collections::HashMap;

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_endpoint_hears_of_each_entity_in_order_and_a_failure_holds_up_only_its_own() {
    let site = Site::new();
    let engine = engine(&site, settings(&[400; 9])).await;
    let receiver = Receiver::start(200).await;
    let wish = Create { ordered: true, ..wish(&engine, &receiver.url, &["*"]) };
    let id = engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id;
    receiver.next(Reply::of(500));
    orders(&engine, 10).await;
    until_done(&engine, &id, 50).await;
    let got = receiver.got();
    let (refused, _) = got[0].about();
    let mut heard: HashMap<String, Vec<u64>> = HashMap::new();
    for one in &got {
        let (entity, version) = one.about();
        heard.entry(entity).or_default().push(version);
    }
    for (entity, versions) in &heard {
        let expected: &[u64] = if *entity == refused { &[1, 1, 2, 3, 4, 5] } else { &[1, 2, 3, 4, 5] };
        assert_eq!(versions, expected, "{entity}");
    }
    // The others did not wait for the one that was refused.
    assert!(got[got.len() - 5..].iter().all(|one| one.about().0 == refused));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_and_slow_endpoints_slow_no_other() {
    let site = Site::new();
    let mut few = settings(&[60_000; 9]);
    few.concurrency.set(QUEUE_DELIVER, 64);
    let engine = engine(&site, few).await;
    let healthy = Receiver::start(200).await;
    let slow = Receiver::start(200).await;
    slow.always(Reply { after: Duration::from_secs(60), ..Reply::of(200) });
    let dead = "http://127.0.0.1:9/hook";
    let mut bad = Vec::new();
    for n in 0..6 {
        let url = if n % 2 == 0 { &slow.url } else { dead };
        let wish = wish(&engine, url, &["*"]);
        bad.push(engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id);
    }
    let id = endpoint(&engine, &healthy, &["*"]).await;
    orders(&engine, 60).await;
    until_done(&engine, &id, 300).await;
    assert_eq!(healthy.got().len(), 300);
    // While the slow ones have got nowhere.
    let stuck = deliveries(engine.journal.as_ref(), &bad[0]).await;
    assert!(stuck.iter().filter(|delivery| delivery.status == Status::Pending).count() > 200);
    engine.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_has_no_more_requests_at_once_than_it_wants_and_none_beyond_its_rate() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let wish = Create { concurrency: 1, rate_per_second: Some(20), ..wish(&engine, &receiver.url, &["*"]) };
    let id = engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id;
    orders(&engine, 8).await;
    let delivered = until_done(&engine, &id, 40).await;
    let mut times: Vec<_> = delivered.iter().map(|delivery| delivery.attempts[0].at.0).collect();
    times.sort_unstable();
    // Two seconds' worth, but for what may come at once.
    assert!(times[39] - times[0] >= 1_500_000, "{times:?}");
    assert_eq!(receiver.got().len(), 40);
    engine.stop(PATIENCE).await;
}
