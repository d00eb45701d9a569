//! A wire between processes and a server, which can be cut, and made to carry nothing in one direction or both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const BUFFER: usize = 16 * 1024;

/// What a wire carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Everything.
    Open,
    /// Nothing to the server; its answers arrive.
    Deaf,
    /// Nothing back: the server does what it is asked, and nobody hears of it.
    Mute,
    /// Nothing at all.
    Dead,
}

#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

impl Flow {
    const fn carries(self, way: Way) -> bool {
        match self {
            Self::Open => true,
            Self::Deaf => matches!(way, Way::Back),
            Self::Mute => matches!(way, Way::There),
            Self::Dead => false,
        }
    }
}

/// A port on the loopback that leads to a server.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) port: u16,
    flow: watch::Sender<Flow>,
    cut: Arc<Mutex<CancellationToken>>,
}

impl Wire {
    /// Lays a wire to the server at `port`, for as long as the test runs.
    pub(super) async fn lay(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("an address").port();
        let wire = Self { port: here, flow: watch::Sender::new(Flow::Open), cut: Arc::default() };
        let (flow, cut) = (wire.flow.clone(), Arc::clone(&wire.cut));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (cut, flow) = (lock(&cut).clone(), flow.subscribe());
                tokio::spawn(async move { cut.run_until_cancelled(carry(near, port, flow)).await });
            }
        });
        wire
    }

    /// Cuts every connection; new ones get through.
    pub(super) fn cut(&self) {
        std::mem::take(&mut *lock(&self.cut)).cancel();
    }

    /// Changes what it carries, for connections that are there and for new ones.
    pub(super) fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }
}

fn lock(cut: &Mutex<CancellationToken>) -> MutexGuard<'_, CancellationToken> {
    cut.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, until either end hangs up. A server that is away is one that hangs up at once.
async fn carry(near: TcpStream, port: u16, flow: watch::Receiver<Flow>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (Ok(()), Ok(())) = (near.set_nodelay(true), far.set_nodelay(true)) else { return };
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(from_near, to_far, flow.clone(), Way::There) => {}
        () = pump(from_far, to_near, flow, Way::Back) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut flow: watch::Receiver<Flow>, way: Way) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        // What was on its way when the wire went dead arrives late.
        if flow.wait_for(|flow| flow.carries(way)).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
