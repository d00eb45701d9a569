//! Hints through PostgreSQL: `LISTEN` on one connection, `pg_notify` on another, outside every transaction of the journal:
//! inside, it costs most of the throughput. Both connections go to the server itself, not through a pool of transactions.

use std::future::poll_fn;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Connection, Statement};

use super::Wake;
use super::remote::{self, Heard, Link, Listener, SILENCE, Speaker};
use crate::Fault;
use crate::postgres::Server;

/// A channel is of one database, and so of one installation.
const CHANNEL: &str = "tradewind_wake";
/// How many notifications may wait for their listener; it does little with each.
const BUFFER: usize = 1_024;

pub(super) struct PostgresLink {
    server: Server,
}

struct Notifier {
    client: Client,
    notify: Statement,
    server: Server,
    connection: AbortHandle,
}

struct Notified {
    client: Client,
    messages: mpsc::Receiver<String>,
    server: Server,
    connection: AbortHandle,
}

/// Connects to `url`.
pub(super) async fn open(url: &str) -> Result<Arc<dyn Wake>, Fault> {
    remote::open(Box::new(link(url)?)).await
}

pub(super) fn link(url: &str) -> Result<PostgresLink, Fault> {
    Ok(PostgresLink { server: Server::parse("--wake", url)? })
}

impl PostgresLink {
    async fn connect(&self, messages: Option<mpsc::Sender<String>>) -> Result<(Client, AbortHandle), Fault> {
        let made = self.server.config("tradewind wake", "").connect(self.server.tls()).await;
        let (client, connection) = made.map_err(|error| self.server.unreachable(&error))?;
        Ok((client, tokio::spawn(drive(connection, messages)).abort_handle()))
    }
}

/// Moves a connection until it breaks or its client is dropped, and hands on what it is told.
async fn drive<S, T>(mut connection: Connection<S, T>, messages: Option<mpsc::Sender<String>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let (AsyncMessage::Notification(notification), Some(messages)) = (message, &messages)
            && messages.send(notification.payload().to_owned()).await.is_err()
        {
            return;
        }
    }
}

#[async_trait]
impl Link for PostgresLink {
    fn name(&self) -> &str {
        self.server.shown()
    }

    async fn speaker(&self) -> Result<Box<dyn Speaker>, Fault> {
        let (client, connection) = self.connect(None).await?;
        // A hint is not worth waiting for the disk.
        let prepared = async {
            client.batch_execute("set synchronous_commit = off").await?;
            client.prepare("select pg_notify($1, $2)").await
        };
        let notify = prepared.await.map_err(|error| self.server.unreachable(&error))?;
        Ok(Box::new(Notifier { client, notify, server: self.server.clone(), connection }))
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Fault> {
        let (sender, messages) = mpsc::channel(BUFFER);
        let (client, connection) = self.connect(Some(sender)).await?;
        client.batch_execute(&format!("listen {CHANNEL}")).await.map_err(|error| self.server.unreachable(&error))?;
        Ok(Box::new(Notified { client, messages, server: self.server.clone(), connection }))
    }
}

#[async_trait]
impl Speaker for Notifier {
    async fn say(&mut self, text: String) -> Result<(), Fault> {
        let sent = self.client.execute(&self.notify, &[&CHANNEL, &text]).await;
        sent.map(drop).map_err(|error| self.server.unreachable(&error))
    }
}

#[async_trait]
impl Listener for Notified {
    async fn hear(&mut self) -> Result<Heard, Fault> {
        let gone = || Fault::Unavailable(format!("{}: the connection was closed", self.server.shown()));
        loop {
            match timeout(SILENCE, self.messages.recv()).await {
                Ok(Some(text)) => return Ok(Heard::Text(text)),
                Ok(None) => return Err(gone()),
                Err(_) => {
                    let alive = timeout(SILENCE, self.client.batch_execute("")).await;
                    alive.map_err(|_| gone())?.map_err(|error| self.server.unreachable(&error))?;
                }
            }
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Drop for Notified {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
