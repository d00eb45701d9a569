//! Hints through NATS: one subject. The client connects again by itself, and says when it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::{Client, Event, RequestErrorKind, Subscriber};
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Wake;
use super::remote::{self, Heard, Link, Listener, SILENCE, Speaker};
use crate::Fault;
use crate::address::Address;
use crate::nats;

pub(super) struct NatsLink {
    client: Client,
    connected: Arc<Notify>,
    subject: String,
    name: String,
}

struct Publisher {
    client: Client,
    subject: String,
    name: String,
}

struct Subscription {
    client: Client,
    question: String,
    messages: Subscriber,
    connected: Arc<Notify>,
    name: String,
}

pub(super) async fn open(url: &str, installation: &str) -> Result<Arc<dyn Wake>, Fault> {
    remote::open(Box::new(link(url, installation).await?)).await
}

pub(super) async fn link(url: &str, installation: &str) -> Result<NatsLink, Fault> {
    let address = Address::parse("--wake", url, &["prefix"], &[])?;
    let prefix = address.word("prefix")?.unwrap_or(installation);
    let connected = Arc::new(Notify::new());
    let heard = Arc::clone(&connected);
    let lost = AtomicBool::new(false);
    let options = nats::options().event_callback(move |event| {
        match event {
            Event::Disconnected => lost.store(true, Ordering::Relaxed),
            Event::Connected if lost.swap(false, Ordering::Relaxed) => heard.notify_one(),
            _ => {}
        }
        std::future::ready(())
    });
    let client = nats::connect(&address, options).await?;
    Ok(NatsLink { client, connected, subject: format!("tradewind-wake.{prefix}"), name: address.shown })
}

#[async_trait]
impl Link for NatsLink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn speaker(&self) -> Result<Box<dyn Speaker>, Fault> {
        let (client, subject, name) = (self.client.clone(), self.subject.clone(), self.name.clone());
        Ok(Box::new(Publisher { client, subject, name }))
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Fault> {
        let failed = |error: String| Fault::Unavailable(format!("{}: {error}", self.name));
        let messages = self.client.subscribe(self.subject.clone()).await.map_err(|error| failed(error.to_string()))?;
        // The server takes things in their order: when this comes back, it has taken the subscription.
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(error.to_string()))?;
        self.client.publish(inbox, "".into()).await.map_err(|error| failed(error.to_string()))?;
        answers.next().await.ok_or_else(|| failed("the connection was closed".to_owned()))?;
        let (client, question) = (self.client.clone(), format!("{}.alive", self.subject));
        let (connected, name) = (Arc::clone(&self.connected), self.name.clone());
        Ok(Box::new(Subscription { client, question, messages, connected, name }))
    }
}

#[async_trait]
impl Speaker for Publisher {
    async fn say(&mut self, text: String) -> Result<(), Fault> {
        let failed = |error: String| Fault::Unavailable(format!("{}: {error}", self.name));
        let sent = self.client.publish(self.subject.clone(), text.into()).await;
        sent.map_err(|error| failed(error.to_string()))?;
        self.client.flush().await.map_err(|error| failed(error.to_string()))
    }
}

#[async_trait]
impl Listener for Subscription {
    async fn hear(&mut self) -> Result<Heard, Fault> {
        let gone = || Fault::Unavailable(format!("{}: the connection was closed", self.name));
        loop {
            let heard = timeout(SILENCE, async {
                tokio::select! {
                    () = self.connected.notified() => Ok(Heard::Gap),
                    message = self.messages.next() => {
                        let text = message.ok_or_else(gone)?.payload;
                        Ok(Heard::Text(String::from_utf8_lossy(&text).into_owned()))
                    }
                }
            });
            match heard.await {
                Ok(heard) => return heard,
                Err(_) => self.alive().await?,
            }
        }
    }
}

impl Subscription {
    /// Asks a question that nobody answers: the server says so, if it lives.
    async fn alive(&self) -> Result<(), Fault> {
        let silent = |_| Fault::Unavailable(format!("{}: the server does not answer", self.name));
        let asked = timeout(SILENCE, self.client.request(self.question.clone(), "".into())).await.map_err(silent)?;
        match asked {
            Err(error) if error.kind() != RequestErrorKind::NoResponders => {
                Err(Fault::Unavailable(format!("{}: {error}", self.name)))
            }
            _ => Ok(()),
        }
    }
}
