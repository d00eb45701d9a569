//! The accept loop: HTTP/1.1 connections with limits and deadlines, and an end that lets everyone finish.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::layers::{REQUEST_ID, RequestIds};
use crate::problem::{Problem, codes};

/// How long the head of a request may take to arrive.
const HEAD_ARRIVES_WITHIN: Duration = Duration::from_secs(15);
/// How long to wait after a failed accept, such as for want of file descriptors.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);
/// The most connections being refused at once; further ones wait in the kernel's queue for one of these to end.
const MAX_REFUSALS: usize = 64;
/// How long a connection that is refused may take to send its request and take its answer.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// So much of a refused request's body is read, so that its sender gets to the answer.
const REFUSED_BODY: usize = 64 * 1024;

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at once; further ones are answered with 503 and closed.
    pub connections: usize,
    /// A connection whose client takes nothing of what is written to it for so long is cut.
    pub write_within: Duration,
    /// How long the open connections have to end after the stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 16_384, write_within: Duration::from_secs(15), drain: Duration::from_secs(30) }
    }
}

/// Serves until `stop`, then takes no more connections and waits for those that are open, sockets and streams included.
///
/// # Errors
/// None at present; a failed accept is logged and tried again.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, limits: Limits) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVES_WITHIN).half_close(false);
    let connections = TaskTracker::new();
    let mut door = Door::new(limits.connections);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = door.next(&listener) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(AFTER_FAILED_ACCEPT).await;
                continue;
            }
        };
        // Answers are small and complete: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let (within, _open) = (limits.write_within, (connections.token(), permit));
        let io = TokioIo::new(Tracked { stream, within, stalled: None, _open });
        let (router, peer) = (TowerToHyperService::new(router.clone()), Peer(peer.ip().to_canonical()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        let connection = http.serve_connection(io, service).with_upgrades();
        let stop = stop.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            // An error here is the client's: it went away, or sent no HTTP.
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.close();
    if timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections did not end in time");
    }
    Ok(())
}

/// The other end of a request's connection, among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Lets connections in while there is room, and tells the others that there is none.
struct Door {
    room: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    request_ids: Arc<RequestIds>,
}

impl Door {
    fn new(connections: usize) -> Self {
        let room = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
        Self { room, refusals: Arc::new(Semaphore::new(MAX_REFUSALS)), request_ids: Arc::default() }
    }

    /// The next connection for which there is room.
    async fn next(&mut self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            // First, because nothing that was accepted may be dropped without a word: a place, or one to refuse from.
            let (place, refusal) = tokio::select! {
                biased;
                place = Arc::clone(&self.room).acquire_owned() => (Some(place), None),
                refusal = Arc::clone(&self.refusals).acquire_owned() => (None, Some(refusal)),
            };
            let (place, refusal) = (place.transpose(), refusal.transpose());
            let (stream, peer) = listener.accept().await?;
            if let Some(place) =
                place.map_err(io::Error::other)?.or_else(|| Arc::clone(&self.room).try_acquire_owned().ok())
            {
                return Ok((stream, peer, place));
            }
            if let Some(refusal) = refusal.map_err(io::Error::other)? {
                tokio::spawn(refuse(stream, refusal, Arc::clone(&self.request_ids)));
            }
        }
    }
}

/// Answers one request with 503, whatever it is, and closes.
async fn refuse(stream: TcpStream, permit: OwnedSemaphorePermit, request_ids: Arc<RequestIds>) {
    let service = service_fn(async |request: Request<Incoming>| {
        let id = request_ids.of(request.headers());
        let path = request.uri().path().to_owned();
        // What came is of no interest: closing over unread bytes would destroy the answer on its way.
        let _ = Limited::new(request.into_body(), REFUSED_BODY).collect().await;
        let problem = Problem::new(codes::TOO_MANY_CONNECTIONS, "all places are taken; try again later");
        let mut answer = problem.render(id.to_str().unwrap_or_default(), &path);
        answer.headers_mut().insert(REQUEST_ID, id);
        Ok::<Response, Infallible>(answer)
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    // Whether the client took it matters to nobody here.
    let _ = timeout(REFUSED_WITHIN, connection).await;
    drop(permit);
}

/// A connection that counts as open until it is dropped, also after it became a WebSocket, and that breaks when its
/// client takes nothing for too long: whoever never reads must not keep a place for ever.
struct Tracked {
    stream: TcpStream,
    within: Duration,
    /// Runs while a write waits for the client.
    stalled: Option<Pin<Box<Sleep>>>,
    _open: (TaskTrackerToken, OwnedSemaphorePermit),
}

impl Tracked {
    /// What became of a write, or its deadline when the client takes none of it.
    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let within = self.within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(within)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Tracked {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
