//! `tradewind webhooks listen`: a receiver for development, which prints what arrives and verifies it.

mod arrival;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use domain::webhook::sign::Secret;
use tokio::sync::mpsc::{Sender, channel};
use tokio_util::sync::CancellationToken;

use super::line;
use crate::config::{Listen, Webhooks, WebhooksCommand};
use crate::serve::{Signals, announce, bind};
use arrival::Arrival;

/// Far longer than any webhook.
const BODY_BYTES: usize = 1024 * 1024;
/// Lines that wait to be printed.
const WAITING: usize = 256;

/// Runs one of the tools.
pub(crate) async fn run(settings: Webhooks) -> anyhow::Result<u8> {
    match settings.command {
        WebhooksCommand::Listen(settings) => listen(settings).await,
    }
}

/// How webhooks are received.
struct Receiver {
    secrets: Vec<Secret>,
    answer: StatusCode,
    delay: Duration,
    arrivals: Sender<Arrival>,
}

/// Receives until Ctrl-C, or the wanted number of webhooks.
async fn listen(settings: Listen) -> anyhow::Result<u8> {
    let mut signals = Signals::listen()?;
    let secrets = settings.secret.iter().map(|secret| secret.webhook().map_err(|error| anyhow!("--secret: {error}")));
    let secrets = secrets.collect::<anyhow::Result<_>>()?;
    let (arrivals, mut arrived) = channel(WAITING);
    let receiver = Receiver { secrets, answer: settings.answer, delay: settings.delay, arrivals };
    let router =
        Router::new().fallback(receive).layer(DefaultBodyLimit::max(BODY_BYTES)).with_state(Arc::new(receiver));
    let listener = bind("--port", SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port))).await?;
    announce(listener.local_addr()?);
    let stop = CancellationToken::new();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(serving.into_future());
    let mut left = settings.count.unwrap_or(u64::MAX);
    while left > 0 {
        let arrival = tokio::select! {
            arrival = arrived.recv() => arrival.context("the listener ended")?,
            () = signals.next() => break,
        };
        if settings.json { line(arrival.json()) } else { line(&arrival) }?;
        left -= 1;
    }
    // The last one is still answered, but nobody waits for senders who stay connected without a word.
    drop(arrived);
    stop.cancel();
    let _ = tokio::time::timeout(settings.delay + Duration::from_secs(1), serving).await;
    Ok(0)
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let arrival = Arrival::judge(&receiver.secrets, &headers, body, engine::clock::now());
    // Who is not listened to any more is told so.
    if receiver.arrivals.send(arrival).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    tokio::time::sleep(receiver.delay).await;
    receiver.answer
}
