//! What all streams have in common: a place among them, deadlines for sending, a proper end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use engine::observe::Metrics;
use futures_util::SinkExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::problem::{Problem, codes};
use crate::routes::App;

/// How long a client has to answer our close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// The most bytes of a client's message. What is larger than this but not absurd still gets an answer.
pub(crate) const MESSAGE_LIMIT: usize = 16 * 1024;

/// Ends of a socket, as their close codes say.
pub(crate) mod ends {
    /// The conversation is over.
    pub(crate) const DONE: u16 = 1000;
    /// The client broke the rules of this socket.
    pub(crate) const POLICY: u16 = 1008;
    /// The message is too big.
    pub(crate) const TOO_BIG: u16 = 1009;
    /// The server failed.
    pub(crate) const FAILED: u16 = 1011;
    /// The server stops or restarts: connect again.
    pub(crate) const RESTART: u16 = 1012;
    /// Ours: the client is too slow; it may resume.
    pub(crate) const SLOW: u16 = 4008;
    /// Ours: the key that the socket was opened with is good no more.
    pub(crate) const UNAUTHORIZED: u16 = 4401;
}

/// The client went away or does not take its frames.
#[derive(Debug)]
pub(crate) struct Gone {
    /// So many frames of this call stand before whatever is sent next; the others were dropped.
    pub(crate) taken: usize,
}

/// A place among the open streams, counted while it is held.
pub(crate) struct Seat {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    /// Takes a place.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub(crate) fn take(app: &App) -> Result<Self, Problem> {
        let permit = Arc::clone(&app.sockets).try_acquire_owned();
        let permit =
            permit.map_err(|_| Problem::new(codes::TOO_MANY_SOCKETS, "all places are taken; try again later"))?;
        app.engine.metrics.sockets(1);
        Ok(Self { metrics: Arc::clone(&app.engine.metrics), _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.metrics.sockets(-1);
    }
}

/// Limits and small buffers: thousands of sockets are mostly silent.
pub(crate) fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(4 * MESSAGE_LIMIT)
        .max_frame_size(4 * MESSAGE_LIMIT)
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(1024 * 1024)
}

/// Sends frames in one go.
///
/// # Errors
/// [`Gone`].
pub(crate) async fn send_all(socket: &mut WebSocket, frames: Vec<String>, within: Duration) -> Result<(), Gone> {
    let mut taken = 0;
    let send = async {
        for frame in frames {
            socket.feed(Message::text(frame)).await?;
            taken += 1;
        }
        socket.flush().await
    };
    let sent = timeout(within, send).await;
    if matches!(sent, Ok(Ok(()))) { Ok(()) } else { Err(Gone { taken }) }
}

/// Sends one frame.
///
/// # Errors
/// [`Gone`].
pub(crate) async fn send(socket: &mut WebSocket, frame: Message, within: Duration) -> Result<(), Gone> {
    let sent = timeout(within, socket.send(frame)).await;
    if matches!(sent, Ok(Ok(()))) { Ok(()) } else { Err(Gone { taken: 0 }) }
}

/// Sends a last frame, if there is one, closes, and waits a moment for the client's answer.
pub(crate) async fn end(mut socket: WebSocket, last: Option<String>, code: u16, reason: &'static str) {
    let close = async {
        if let Some(last) = last {
            socket.feed(Message::text(last)).await?;
        }
        socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<(), axum::Error>(())
    };
    // Whether it went well matters to nobody any more.
    let _ = timeout(CLOSE_WITHIN, close).await;
}
