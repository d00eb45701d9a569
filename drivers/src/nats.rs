//! Connecting to NATS, and what went wrong when it could not be done.

use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

use crate::Fault;
use crate::address::Address;

const CONNECT: Duration = Duration::from_secs(5);
/// A server that does not answer two of these is gone.
const PING: Duration = Duration::from_secs(3);
/// Between attempts to connect again: doubled from the first to the last.
const RETRY: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// A client that connects again for ever.
pub(crate) fn options() -> ConnectOptions {
    let [first, last] = RETRY;
    let delay = move |attempts: usize| {
        let doubled = u32::try_from(attempts).unwrap_or(u32::MAX).clamp(1, 10) - 1;
        first.saturating_mul(1 << doubled).min(last)
    };
    let options = ConnectOptions::new().name("tradewind").connection_timeout(CONNECT).ping_interval(PING);
    options.max_reconnects(None).reconnect_delay_callback(delay)
}

/// Connects for the first time.
pub(crate) async fn connect(address: &Address, mut options: ConnectOptions) -> Result<Client, Fault> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (address.url.username(), address.url.password()) {
        ("", _) => {}
        (token, None) => options = options.token(plain(token)),
        (user, Some(password)) => options = options.user_and_password(plain(user), plain(password)),
    }
    let server = ServerAddr::from_url(address.url.clone()).map_err(|error| address.wrong(&error.to_string()))?;
    options.connect(server).await.map_err(|error| address.wrong(&failed(&error).replace('\n', " ")))
}

fn failed(error: &ConnectError) -> String {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            format!("refused ({error}); correct the name and the password in nats://NAME:PASSWORD@HOST:PORT")
        }
        ConnectErrorKind::Tls => {
            format!("TLS failed ({error}); say tls://host:port where the server has TLS, nats:// where not")
        }
        _ => format!("cannot be reached ({error}); start the server or correct the address"),
    }
}
