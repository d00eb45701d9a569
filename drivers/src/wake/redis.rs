//! Hints through Redis: `PUBLISH` and `SUBSCRIBE` on one channel.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind};
use tokio::time::timeout;

use super::Wake;
use super::remote::{self, ANSWER, CONNECT, Heard, Link, Listener, SILENCE, Speaker};
use crate::Fault;
use crate::address::Address;

pub(super) struct RedisLink {
    client: Client,
    channel: String,
    name: String,
}

struct Publisher {
    connection: MultiplexedConnection,
    channel: String,
    name: String,
}

struct Subscriber {
    sink: PubSubSink,
    messages: PubSubStream,
    name: String,
}

pub(super) async fn open(url: &str, installation: &str) -> Result<Arc<dyn Wake>, Fault> {
    remote::open(Box::new(link(url, installation)?)).await
}

pub(super) fn link(url: &str, installation: &str) -> Result<RedisLink, Fault> {
    let address = Address::parse("--wake", url, &["prefix"], &["protocol"])?;
    let prefix = address.word("prefix")?.unwrap_or(installation);
    let client = Client::open(address.url.clone()).map_err(|error| failed(&address.shown, &error))?;
    Ok(RedisLink { client, channel: format!("tradewind:wake:{prefix}"), name: address.shown })
}

#[async_trait]
impl Link for RedisLink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn speaker(&self) -> Result<Box<dyn Speaker>, Fault> {
        let config = AsyncConnectionConfig::new();
        let config = config.set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let connection = connection.map_err(|error| failed(&self.name, &error))?;
        Ok(Box::new(Publisher { connection, channel: self.channel.clone(), name: self.name.clone() }))
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Fault> {
        let both = self.client.get_async_pubsub().await.map_err(|error| failed(&self.name, &error))?;
        let (mut sink, messages) = both.split();
        sink.subscribe(&self.channel).await.map_err(|error| failed(&self.name, &error))?;
        Ok(Box::new(Subscriber { sink, messages, name: self.name.clone() }))
    }
}

#[async_trait]
impl Speaker for Publisher {
    async fn say(&mut self, text: String) -> Result<(), Fault> {
        let mut command = redis::cmd("PUBLISH");
        let sent: Result<i64, _> = command.arg(&self.channel).arg(text).query_async(&mut self.connection).await;
        sent.map(drop).map_err(|error| failed(&self.name, &error))
    }
}

#[async_trait]
impl Listener for Subscriber {
    async fn hear(&mut self) -> Result<Heard, Fault> {
        let gone = || Fault::Unavailable(format!("{}: the connection was closed", self.name));
        loop {
            match timeout(SILENCE, self.messages.next()).await {
                Ok(Some(message)) => return Ok(Heard::Text(message.get_payload().unwrap_or_default())),
                Ok(None) => return Err(gone()),
                Err(_) => {
                    let alive = timeout(SILENCE, self.sink.ping::<redis::Value>()).await;
                    alive.map_err(|_| gone())?.map_err(|error| failed(&self.name, &error))?;
                }
            }
        }
    }
}

fn failed(name: &str, error: &RedisError) -> Fault {
    let refused = matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm))
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
    let what = if refused {
        format!("refused ({error}); correct the name and the password in redis://NAME:PASSWORD@HOST:PORT")
    } else if error.is_io_error() || error.is_connection_refusal() {
        format!("cannot be reached ({error}); start the server or correct the address")
    } else {
        error.to_string()
    };
    Fault::Unavailable(format!("{name}: {}", what.replace('\n', " ")))
}
