//! A log whose beginning was forgotten, as clients see it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{ORDER, PATIENCE, Site, body, problem};

/// A server whose log begins after event 9 of 10, the ids of its two orders, and its epoch.
async fn trimmed() -> (Site, [String; 2], u64) {
    let site = Site::forgetting(Duration::from_millis(500)).await;
    let mut ids = Vec::new();
    for key in ["first", "second"] {
        let placed = site.post("/v1/swaps?wait=30", ORDER).header("idempotency-key", key).send().await;
        let order = body(placed.expect("an answer")).await;
        assert_eq!(order["status"], "confirmed");
        ids.push(order["id"].as_str().expect("an id").to_owned());
    }
    let head = async {
        loop {
            let head = site.engine.journal.head().await.expect("a head");
            if (head.floor, head.seq) == (9, 10) {
                break head;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let head = tokio::time::timeout(PATIENCE, head).await.expect("events are forgotten");
    (site, ids.try_into().expect("two"), head.epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn too_old_a_position_is_gone_and_the_oldest_is_named() {
    let (site, [_, second], epoch) = trimmed().await;
    let oldest = json!(format!("{epoch}-9"));
    for seq in [0, 1, 8] {
        let after = format!("{epoch}-{seq}");
        let by_query = site.get(&format!("/v1/events?after={after}"));
        let by_header = site.get("/v1/events?after=oldest").header("last-event-id", &after);
        for request in [by_query, by_header] {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 410);
            let gone = problem(answer).await;
            assert_eq!((&gone["code"], &gone["oldest"]), (&json!("POSITION_GONE"), &oldest));
        }
    }
    let mut socket = site.socket("/v1/stream").await;
    socket.say(&format!(r#"{{"op":"subscribe","id":1,"after":"{epoch}-8"}}"#)).await;
    let gone = socket.frame().await;
    assert_eq!((&gone["code"], &gone["oldest"]), (&json!("position_gone"), &oldest));
    // What is named can be resumed from.
    for (id, after) in [(2, format!("{epoch}-9")), (3, "oldest".to_owned())] {
        socket.say(&format!(r#"{{"op":"subscribe","id":{id},"after":"{after}"}}"#)).await;
        assert_eq!(socket.frame().await["from"], oldest);
        let event = socket.frame().await;
        assert_eq!((&event["sub"], &event["id"]), (&json!(id), &json!(second)));
        assert_eq!((&event["seq"], &event["type"]), (&json!(format!("{epoch}-10")), &json!("swap.confirmed")));
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_outlive_their_events() {
    let (site, [first, second], _) = trimmed().await;
    let order = body(site.get(&format!("/v1/swaps/{first}")).send().await.expect("an answer")).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("confirmed"), &json!(5)));
    let events = async |id: &str| {
        let history = body(site.get(&format!("/v1/swaps/{id}/events")).send().await.expect("an answer")).await;
        history["data"].as_array().expect("events").len()
    };
    assert_eq!((events(&first).await, events(&second).await), (0, 1), "those that are held");

    // A replay cannot show the order as it was accepted: it shows it as it is.
    let replay = site.post("/v1/swaps", ORDER).header("idempotency-key", "first").send().await.expect("an answer");
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    assert_eq!(body(replay).await, order);

    // The facade's sockets have no positions: they show how the order stands.
    for id in [&first, &second] {
        let mut socket = site.socket(&format!("/dex/api/orders/ws/{id}")).await;
        let frame: Value = socket.frame().await;
        assert_eq!((&frame["orderId"], &frame["status"]), (&json!(id), &json!("confirmed")));
        assert!(socket.is_silent().await, "nothing follows the last frame");
    }
    site.end().await;
}
