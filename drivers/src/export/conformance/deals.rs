//! The suite on a JetStream stream of deals, and what its messages are: what the other system's consumers know, and nothing
//! about anything else.

use std::time::Duration;

use async_nats::jetstream::{self, Context};
use domain::view::event_body;

use super::{Arc, EPOCH, Event, Export, Fault, Harness, Kind, Owner, async_trait};
use crate::export;

/// A server of its own, because everybody's stream of deals has the same subjects.
struct Deals(testbed::Nats);

impl Deals {
    fn new() -> Self {
        Self(testbed::Nats::start())
    }

    fn url(&self) -> String {
        format!("{}?format=deals", self.0.url())
    }

    async fn context(&self) -> Context {
        jetstream::new(async_nats::connect(self.0.url()).await.unwrap())
    }

    async fn messages(&self) -> Vec<jetstream::message::StreamMessage> {
        let stream = self.context().await.get_stream("DEALS").await.unwrap();
        let state = stream.get_info().await.unwrap().state;
        let mut all = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            all.push(stream.get_raw_message(sequence).await.unwrap());
        }
        all
    }
}

#[async_trait]
impl Harness for Deals {
    async fn open_at(&self, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
        export::open(&self.url(), epoch).await
    }

    async fn sent(&self) -> Vec<u64> {
        let number = |message: &jetstream::message::StreamMessage| {
            let id = message.headers.get("Nats-Msg-Id").expect("its number").as_str().to_owned();
            id.parse().expect("a number")
        };
        self.messages().await.iter().map(number).collect()
    }
}

/// A deal's view after its change number `version`.
fn view(version: u64, status: &str) -> String {
    format!(
        "{{\"id\":\"d1\",\"version\":{version},\"status\":\"{status}\",\"sellerId\":\"s1\",\"name\":\"a deal\",\"currency\":\"GBP\",\
         \"items\":[{{\"id\":\"i1\",\"name\":\"Bundle\",\"price\":100}}],\"totalPrice\":100,\
         \"createdAt\":\"2024-06-17T05:30:12.520000Z\",\"updatedAt\":\"2024-06-17T05:30:1{version}.520000Z\"}}"
    )
}

fn deal(seq: u64, version: u64, status: &str) -> Event {
    let before = (version > 1).then(|| view(version - 1, "available"));
    let type_ = if version == 1 { "deal.created" } else { "deal.updated" };
    let body = event_body(before.as_deref(), &view(version, status), &Owner::default());
    Event { kind: Kind::Deal, id: "d1".to_owned(), version, type_: type_.to_owned(), body, ..super::event(seq) }
}

/// Of three events one is a deal's.
fn mixed(seqs: impl IntoIterator<Item = u64>) -> Vec<Event> {
    seqs.into_iter().map(|seq| if seq % 3 == 0 { deal(seq, 1, "available") } else { super::event(seq) }).collect()
}

#[tokio::test]
async fn messages_are_as_recorded() {
    let deals = Deals::new();
    let export = deals.open().await;
    export.send(&[deal(4, 1, "available"), deal(9, 2, "withdrawn")]).await.unwrap();
    let messages = deals.messages().await;
    let told: Vec<_> =
        messages.iter().map(|m| (m.subject.as_str(), std::str::from_utf8(&m.payload).unwrap())).collect();
    let created = r#"{"name":"a deal","totalPrice":100,"currency":"GBP","status":"available","id":"d1","sellerId":"s1","createdAt":"2024-06-17T05:30:12.520Z","updatedAt":"2024-06-17T05:30:11.520Z","items":[{"id":"i1","name":"Bundle","price":100}]}"#;
    let updated = r#"{"id":"d1","sellerId":"s1","name":"a deal","totalPrice":100,"currency":"GBP","status":"sold","createdAt":"2024-06-17T05:30:12.520Z","updatedAt":"2024-06-17T05:30:12.520Z","items":[{"id":"i1","name":"Bundle","price":100}]}"#;
    assert_eq!(told, [("deal.created", created), ("deal.updated", updated)]);
    assert_eq!(deals.sent().await, [4, 9]);
    let info = deals.context().await.get_stream("DEALS").await.unwrap().get_info().await.unwrap();
    assert_eq!(info.config.subjects, ["deal.*"]);
    assert_eq!((info.config.max_age, info.config.num_replicas), (Duration::ZERO, 1));
}

#[tokio::test]
async fn what_is_no_deal_is_not_taken_and_the_rest_is_sent_once() {
    let deals = Deals::new();
    let export = deals.open().await;
    assert_eq!(export.position().await, Ok(Some(0)));
    assert!(export.takes(&deal(1, 1, "available")) && !export.takes(&super::event(1)));
    export.send(&mixed(1..=7)).await.unwrap();
    assert_eq!(export.position().await, Ok(Some(6)));
    export.send(&mixed(1..=20)).await.unwrap();
    export.send(&mixed(19..=20)).await.unwrap();
    assert_eq!(deals.sent().await, [3, 6, 9, 12, 15, 18]);
    drop(export);
    // Where the stream ends is out there, not in the process; another epoch's deals are others.
    assert_eq!(deals.open().await.position().await, Ok(Some(18)));
    assert!(matches!(deals.open_at(EPOCH - 1).await.map(drop), Err(Fault::Unavailable(_))));
}

#[tokio::test]
async fn a_stream_that_others_began_is_gone_on_with() {
    let deals = Deals::new();
    let context = deals.context().await;
    let config =
        jetstream::stream::Config { name: "DEALS".into(), subjects: vec!["deal.*".into()], ..Default::default() };
    context.create_stream(config).await.unwrap();
    context.publish("deal.created", "{}".into()).await.unwrap().await.unwrap();
    let export = deals.open().await;
    // What was acknowledged counts, and that is nothing.
    assert_eq!(export.position().await, Ok(None));
    export.send(&mixed(1..=6)).await.unwrap();
    assert_eq!(export.position().await, Ok(Some(6)));
    assert_eq!(deals.messages().await.len(), 3);
}

#[tokio::test]
async fn a_wiped_server_gets_the_deals_again() {
    let deals = Deals::new();
    let export = deals.open().await;
    export.send(&mixed(1..=9)).await.unwrap();
    deals.0.restart_wiped();
    assert!(export.send(&mixed(10..=12)).await.is_err());
    let begun = std::time::Instant::now();
    while export.position().await != Ok(Some(0)) || export.send(&mixed(1..=12)).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(deals.sent().await, [3, 6, 9, 12]);
}

#[tokio::test]
async fn a_format_that_is_none_is_refused() {
    let deals = Deals::new();
    let said = export::open(&format!("{}?format=bids", deals.0.url()), EPOCH).await.map(drop).unwrap_err().to_string();
    assert!(said.contains("format must be events or deals"), "{said}");
}
