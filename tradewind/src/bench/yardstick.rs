//! The ten-line server of the same web framework that every ratio compares with.

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

/// Answers `ok`, until it is killed.
pub(crate) async fn run() -> anyhow::Result<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::serve::announce(listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, Router::new().route("/", get(|| async { "ok" }))).await?;
    Ok(0)
}
