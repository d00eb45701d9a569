//! Commands that meet each other, that have little time, or that cannot be done for the moment: none is lost, none blocks.

use domain::{Change, EntityWrite, Expect};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn of_orders_with_one_id_in_many_groups_one_is_taken_and_the_others_are_refused_at_once() {
    let site = Site::new();
    let engine = engine(&site, true).await;
    let id = new_id();
    queue(&engine, EVENTS).await;
    queue(&engine, ORDERS).await;
    for n in 0..10 {
        send(&engine, &format!("g{n}"), &format!("c{n}"), create(Some(&id), "mug", 1)).await;
    }
    let all = drained(&engine, EVENTS, 10).await;
    assert_eq!(all.iter().filter(|one| told(one)["type"] == "shop.order.created").count(), 1);
    let dead = drained(&engine, DEAD, 9).await;
    assert!(dead.iter().all(|one| reason(one).starts_with("ORDER_EXISTS") && one.receive_count == 1), "{dead:?}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_hides_nothing_loses_no_command() {
    let site = Site::new();
    let engine = engine(&site, true).await;
    queue(&engine, EVENTS).await;
    patient_queue(&engine, 3, &[("VisibilityTimeout", "0")]).await;
    for n in 0..60 {
        send(&engine, &format!("g{}", n % 9), &format!("c{n}"), create(None, "mug", 1)).await;
    }
    let all = drained(&engine, EVENTS, 60).await;
    assert!(all.iter().all(|one| told(one)["type"] == "shop.order.created"));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_command_that_is_given_up_is_done() {
    let site = Site::new();
    let (engine, acme, broken) = (engine(&site, true).await, owner("acme"), new_id());
    let write = EntityWrite {
        kind: Kind::ShopOrder,
        id: broken.clone(),
        expect: Expect::Absent,
        status: "pending",
        owner: acme.clone(),
        party: None,
        parent: None,
        body: "{}".to_owned(),
        event: None,
    };
    // Nobody can read it: whatever is asked of it fails each time.
    engine.journal.apply(Change { entities: vec![write], ..Change::default() }).await.expect("written");
    queue(&engine, EVENTS).await;
    patient_queue(&engine, 1, &[]).await;
    engine.queues.pause(&acme, ORDERS, true).await.expect("paused");
    let given_up = send(&engine, "g", "broken", update(&broken, "PROCESSING")).await;
    for n in 0..9 {
        send(&engine, "g", &format!("c{n}"), create(None, "mug", 1)).await;
    }
    engine.queues.pause(&acme, ORDERS, false).await.expect("going on");
    let all = drained(&engine, EVENTS, 10).await;
    assert_eq!(told(&all[0])["reason"]["code"], "GIVEN_UP");
    assert!(all[1..].iter().all(|one| told(one)["type"] == "shop.order.created"), "{all:?}");
    let dead = drained(&engine, DEAD, 1).await;
    assert!(dead[0].message_id == given_up && reason(&dead[0]).starts_with("GIVEN_UP"), "{dead:?}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_made_the_queue_it_has_dead_letters() {
    let site = Site::new();
    let (engine, acme, begun) = (engine(&site, true).await, owner("acme"), std::time::Instant::now());
    queue(&engine, ORDERS).await;
    loop {
        let queue = engine.queues.find(&acme, ORDERS).await.expect("a queue");
        if let Some(redrive) = &queue.settings().redrive {
            assert_eq!((redrive.target.as_str(), redrive.max_receives), (DEAD, 3));
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "no dead letters");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    engine.queues.find(&acme, DEAD).await.expect("made");
    engine.stop(PATIENCE).await;
}
