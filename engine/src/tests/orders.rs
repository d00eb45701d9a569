//! Orders over queues: commands done once and in turn, what is poisoned put aside with its reason, everything told.

mod limits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::money::Currency;
use domain::queue::{Incoming, Outgoing, Value, Wanted, arn};
use domain::shop::command::{DEAD, EVENTS, ORDERS};
use domain::shop::stock::Count;
use domain::shop::{self, Content, Customer, Draft, Order, Place, Status};
use domain::{Kind, Owner};
use drivers::{cache, venue, wake};
use serde_json::{Value as Json, json};

use super::{Engine, PATIENCE, Parts, Registry, Settings, Site, clock, new_id, owner};
use crate::Roles;
use crate::intake::Target;
use crate::queues::{QueueError, Wish};

/// How long a lease lasts here: what a process had in hand that was killed comes again after twice that.
const LEASE: Duration = Duration::from_secs(3);

/// An engine that works on queues, or one that leaves them alone.
async fn engine(site: &Site, work: bool) -> Engine {
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: site.journal().await,
        wake: wake::local(),
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: Settings { roles: Roles { work, ..Roles::ALL }, lease: LEASE, ..Settings::default() },
    })
}

async fn queue(engine: &Engine, name: &str) {
    let fifo = Wanted::from([("FifoQueue".to_owned(), "true".to_owned())]);
    engine.queues.create(&owner("acme"), name, fifo, BTreeMap::new()).await.expect("a queue");
}

/// The queue of commands, each of which may be received so often.
async fn patient_queue(engine: &Engine, receives: u32, attributes: &[(&str, &str)]) {
    queue(engine, DEAD).await;
    let redrive = json!({ "deadLetterTargetArn": arn::of(&owner("acme"), DEAD), "maxReceiveCount": receives });
    let redrive = redrive.to_string();
    let fixed = [("FifoQueue", "true"), ("RedrivePolicy", redrive.as_str())];
    let wanted = fixed.iter().chain(attributes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    engine.queues.create(&owner("acme"), ORDERS, wanted.collect(), BTreeMap::new()).await.expect("a queue");
}

/// Sends a command as any SQS client would.
async fn send(engine: &Engine, group: &str, dedup: &str, body: impl ToString) -> String {
    let message = Outgoing {
        body: body.to_string(),
        group: Some(group.to_owned()),
        dedup: Some(dedup.to_owned()),
        sender: "acme".to_owned(),
        ..Outgoing::default()
    };
    let mut sent = engine.queues.send(&owner("acme"), ORDERS, vec![message]).await.expect("sent");
    sent.remove(0).expect("taken").message_id
}

fn create(id: Option<&str>, product: &str, quantity: i64) -> Json {
    json!({"type": "CREATE", "orderId": id, "data": {
        "customer_name": "Ada", "customer_email": "ada@example.org",
        "items": [{"product_id": product, "product_name": "A thing", "quantity": quantity, "unit_price": 12.5}]}})
}

fn update(id: &str, status: &str) -> Json {
    json!({"type": "UPDATE", "orderId": id, "data": {"status": status}})
}

/// Receives and deletes until `enough` have come.
async fn drained(engine: &Engine, name: &str, enough: usize) -> Vec<Incoming> {
    let (acme, begun) = (owner("acme"), std::time::Instant::now());
    let mut all: Vec<Incoming> = Vec::new();
    while all.len() < enough {
        if begun.elapsed() > PATIENCE {
            let mut counts = Vec::new();
            for queue in [ORDERS, EVENTS, DEAD] {
                if let Ok(queue) = engine.queues.find(&acme, queue).await {
                    counts.push((queue.name().to_owned(), engine.queues.counts(&queue).await.expect("counts")));
                }
            }
            panic!("{name}: {} of {enough}; {counts:?}; {} events", all.len(), events(engine).await);
        }
        let wish = Wish { max: 10, wait: Some(1), ..Wish::default() };
        let some = match engine.queues.receive(&acme, name, wish).await {
            // Made when the first letter is dead.
            Err(QueueError::Refused(_)) => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                continue;
            }
            received => received.expect("messages"),
        };
        let handles: Vec<String> = some.iter().map(|one| one.handle.clone()).collect();
        if !handles.is_empty() {
            engine.queues.delete_messages(&acme, name, &handles).await.expect("deleted");
        }
        all.extend(some);
    }
    assert_eq!(all.len(), enough, "{name}: {all:?}");
    all
}

fn told(message: &Incoming) -> Json {
    serde_json::from_str(&message.message.body).expect("JSON")
}

fn reason(message: &Incoming) -> &str {
    let reason = message.message.attributes.iter().find(|attribute| attribute.name == "reason");
    match reason.map(|reason| &reason.value) {
        Some(Value::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

async fn order(engine: &Engine, id: &str) -> Option<Order> {
    let entity = engine.journal.entity(Kind::ShopOrder, id).await.expect("a look");
    entity.map(|entity| Order::from_entity(&entity).expect("an order"))
}

async fn events(engine: &Engine) -> usize {
    engine.journal.events(0, None, 1_000).await.expect("events").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_done_in_turn_and_told() {
    let site = Site::new();
    let engine = engine(&site, true).await;
    queue(&engine, EVENTS).await;
    queue(&engine, ORDERS).await;
    let ids: Vec<String> = (0..5).map(|_| new_id()).collect();
    for (n, id) in ids.iter().enumerate() {
        send(&engine, id, &format!("create-{n}"), create(Some(id), "mug", 2)).await;
        send(&engine, id, &format!("begin-{n}"), update(id, "PROCESSING")).await;
        send(&engine, id, &format!("end-{n}"), update(id, "COMPLETED")).await;
        send(&engine, id, &format!("delete-{n}"), json!({"type": "DELETE", "orderId": id, "data": {}})).await;
    }
    let all = drained(&engine, EVENTS, 20).await;
    for id in &ids {
        let of_order: Vec<_> = all.iter().filter(|one| one.message.group.as_deref() == Some(id)).map(told).collect();
        let types: Vec<_> = of_order.iter().map(|one| one["type"].as_str().expect("a type")).collect();
        let updated = "shop.order.updated";
        assert_eq!(types, ["shop.order.created", updated, updated, "shop.order.deleted"]);
        assert_eq!((&of_order[0]["data"]["total"], &of_order[0]["data"]["currency"]), (&2_500.into(), &"USD".into()));
        assert!(of_order.iter().all(|one| one["command"]["messageId"].is_string()));
        let order = order(&engine, id).await.expect("it is there");
        assert!(order.deleted_at.is_some() && order.status == Status::Completed && order.version == 4);
    }
    assert_eq!(events(&engine).await, 20);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_came_twice_is_done_once() {
    let site = Site::new();
    let (first, acme) = (engine(&site, false).await, owner("acme"));
    queue(&first, EVENTS).await;
    queue(&first, ORDERS).await;
    let id = new_id();
    let sent = send(&first, "g", "once", create(Some(&id), "mug", 1)).await;
    assert_eq!(send(&first, "g", "once", create(Some(&id), "mug", 1)).await, sent);
    send(&first, "g", "again", create(Some(&id), "mug", 1)).await;
    let unnamed = send(&first, "h", "unnamed", create(None, "mug", 1)).await;
    // Somebody received them and went away without a word: they come again.
    let wish = || Wish { max: 10, visibility: Some(1), ..Wish::default() };
    assert_eq!(first.queues.receive(&acme, ORDERS, wish()).await.expect("messages").len(), 3);
    first.stop(PATIENCE).await;
    let engine = engine(&site, true).await;
    let dead = drained(&engine, DEAD, 1).await;
    assert!(reason(&dead[0]).starts_with("ORDER_EXISTS"), "{}", reason(&dead[0]));
    let all = drained(&engine, EVENTS, 3).await;
    let created: Vec<_> = all.iter().filter(|one| told(one)["type"] == "shop.order.created").map(told).collect();
    let orders: Vec<_> = created.iter().map(|one| one["orderId"].as_str().expect("an id")).collect();
    assert_eq!((orders.len(), events(&engine).await), (2, 2));
    assert!(orders.contains(&id.as_str()) && orders.contains(&shop::command::id_of_message(&unnamed).as_str()));
    let counts =
        engine.queues.counts(&engine.queues.find(&acme, ORDERS).await.expect("a queue")).await.expect("counts");
    assert_eq!((counts.visible, counts.hidden), (0, 0));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_poisoned_is_put_aside_with_its_reason_and_blocks_nobody() {
    let site = Site::new();
    let engine = engine(&site, true).await;
    queue(&engine, EVENTS).await;
    queue(&engine, ORDERS).await;
    engine.intake.count_stock(&owner("acme"), ("scarce", None), Count::Set(1), None).await.expect("counted");
    let (good, other, missing) = (new_id(), new_id(), new_id());
    for (n, (body, group)) in [
        ("no JSON".to_owned(), "g"),
        (update(&missing, "COMPLETED").to_string(), "g"),
        (create(None, "scarce", 2).to_string(), "g"),
        (create(None, "mug", -1).to_string(), "g"),
        (create(Some(&good), "scarce", 1).to_string(), "g"),
        (create(Some(&other), "mug", 1).to_string(), "h"),
        (update(&other, "PENDING").to_string(), "h"),
        (update(&other, "CANCELLED").to_string(), "h"),
    ]
    .into_iter()
    .enumerate()
    {
        send(&engine, group, &n.to_string(), body).await;
    }
    let all = drained(&engine, EVENTS, 8).await;
    assert_eq!(order(&engine, &good).await.expect("it is there").status, Status::Pending);
    assert_eq!(order(&engine, &other).await.expect("it is there").status, Status::Cancelled);
    let dead = drained(&engine, DEAD, 5).await;
    let mut codes: Vec<_> = dead.iter().map(|one| reason(one).split([' ', ':']).next().expect("a code")).collect();
    codes.sort_unstable();
    let expected =
        ["COMMAND_MALFORMED", "OUT_OF_STOCK", "QUANTITY_OUT_OF_RANGE", "SHOP_ORDER_NOT_FOUND", "WRONG_STATE"];
    assert_eq!(codes, expected);
    let refused = all.iter().map(told).filter(|one| one["type"] == "shop.command.refused");
    let mut ids: Vec<_> = refused.map(|one| one["command"]["messageId"].as_str().expect("an id").to_owned()).collect();
    let mut letters: Vec<_> = dead.iter().map(|one| one.message_id.clone()).collect();
    ids.sort();
    letters.sort();
    assert_eq!(ids, letters);
    // From now on what is received too often goes there too.
    let queue = engine.queues.find(&owner("acme"), ORDERS).await.expect("a queue");
    assert_eq!(queue.settings().redrive.as_ref().map(|redrive| redrive.target.as_str()), Some(DEAD));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_an_order_tells_the_queue_that_is_there_then() {
    let site = Site::new();
    let (engine, acme) = (engine(&site, true).await, owner("acme"));
    let placed = async || place(&engine, &acme).await;
    // Before there is one, nothing is told.
    placed().await;
    queue(&engine, EVENTS).await;
    let first = placed().await;
    assert_eq!(told(&drained(&engine, EVENTS, 1).await[0])["orderId"], first.as_str());
    engine.queues.purge(&acme, EVENTS).await.expect("purged");
    let target = Target { id: &first, version: None };
    engine.intake.move_order(&acme, target, Status::Processing, None).await.expect("moved");
    assert_eq!(told(&drained(&engine, EVENTS, 1).await[0])["data"]["status"], "PROCESSING");
    engine.queues.delete(&acme, EVENTS).await.expect("deleted");
    engine.intake.move_order(&acme, target, Status::Completed, None).await.expect("moved");
    engine.intake.delete_order(&acme, target, None).await.expect("deleted");
    assert_eq!(order(&engine, &first).await.expect("it is there").version, 4);
    engine.stop(PATIENCE).await;
}

/// Places an order as the API does.
async fn place(engine: &Engine, shop: &Owner) -> String {
    let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), None).expect("a customer");
    let items = vec![shop::Wanted { product_id: "mug".to_owned(), name: "Mug".to_owned(), quantity: 1, unit_price: 5 }];
    let currency = Currency::parse("GBP").expect("a currency");
    let draft = Draft { customer, items, currency, discount: None, stated: None, note: None };
    let content = Content::new(draft).expect("content");
    let place = Place { id: new_id(), shop: shop.clone(), content, external_reference: None };
    engine.intake.place_order(place, None).await.expect("taken").id
}

#[test]
fn a_process_that_dies_in_between_does_each_command_once() {
    const COMMANDS: usize = 120;
    let (site, acme) = (Site::new(), owner("acme"));
    let ids: Vec<String> = (0..COMMANDS / 3).map(|_| new_id()).collect();
    let alone = || tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    alone().block_on(async {
        let engine = engine(&site, false).await;
        patient_queue(&engine, 100, &[]).await;
        queue(&engine, EVENTS).await;
        engine.intake.count_stock(&acme, ("mug", None), Count::Set(1_000), None).await.expect("counted");
        for (n, id) in ids.iter().enumerate() {
            let group = format!("g{}", n % 7);
            send(&engine, &group, &format!("c{n}"), create(Some(id), "mug", 3)).await;
            send(&engine, &group, &format!("p{n}"), update(id, "PROCESSING")).await;
            send(&engine, &group, &format!("e{n}"), update(id, "COMPLETED")).await;
        }
        engine.stop(PATIENCE).await;
    });
    // Everything that a process had in its hands is dropped where it stands, between any two steps.
    for round in 0..4_u64 {
        let runtime = alone();
        runtime.block_on(async {
            let engine = engine(&site, true).await;
            tokio::time::sleep(std::time::Duration::from_millis(20 + 15 * round)).await;
            std::mem::drop(engine);
        });
        runtime.shutdown_background();
    }
    alone().block_on(async {
        let engine = engine(&site, true).await;
        let told = drained(&engine, EVENTS, COMMANDS).await;
        let versions: std::collections::BTreeSet<_> = told.iter().map(|one| one.message.dedup.clone()).collect();
        assert_eq!((versions.len(), events(&engine).await), (COMMANDS, COMMANDS + 1));
        for id in &ids {
            let order = order(&engine, id).await.expect("it is there");
            assert_eq!((order.status, order.version), (Status::Completed, 3));
        }
        let levels = engine.intake.levels(&acme, &["mug"]).await.expect("levels");
        let sold = i64::try_from(ids.len() * 3).expect("few");
        assert_eq!((levels[0].available, levels[0].reserved), (1_000 - sold, 0));
        engine.stop(PATIENCE).await;
    });
}
