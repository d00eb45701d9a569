//! Connections to hosts that strangers chose. The address is judged here, between the name and the connection, so that no
//! name can lead elsewhere afterwards.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::forbidden::judge;
use super::names::Names;
use crate::stream::Stream;
use crate::{Fault, Network};

/// Either what broke, or [`Denied`].
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The most addresses of a name that are tried.
const ADDRESSES: usize = 4;

/// No address of the host is allowed; the text says why, for the endpoint's owner.
#[derive(Debug)]
pub(super) struct Denied(pub(super) String);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Denied {}

/// Makes connections for the client's pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    allow: Vec<Network>,
    within: Duration,
    names: Names,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(
        allow: Vec<Network>,
        within: Duration,
        roots: RootCertStore,
        names: Names,
    ) -> Result<Self, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Fault::Broken(format!("webhooks: TLS: {error}")))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Arc::new(Inner { allow, within, names, tls: TlsConnector::from(Arc::new(config)) })))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let late = |_| format!("not within {:?}", inner.within);
            timeout(inner.within, inner.connect(&uri)).await.map_err(late)?.map(TokioIo::new)
        })
    }
}

impl Inner {
    async fn connect(&self, uri: &Uri) -> Result<Stream, Failure> {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = self.reach(host, port).await?;
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Stream::Secure(Box::new(self.tls.connect(name, stream).await?)))
    }

    /// A connection to the first of the host's allowed addresses that takes it. Each has its part of the time, so that a
    /// silent one leaves some to the next.
    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let mut addresses = self.addresses(host).await?;
        addresses.truncate(ADDRESSES);
        let part = self.within / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match timeout(part, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::Error::new(io::ErrorKind::TimedOut, format!("not within {part:?}")),
            }
        }
        Err(failure.into())
    }

    /// The host's addresses that are allowed, literal or by name.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(literal) = host.parse::<IpAddr>() {
            let denied = |why| Denied(format!("{literal} is not allowed: {why}")).into();
            return judge(literal, &self.allow).map(|()| vec![literal]).map_err(denied);
        }
        let found = self.names.find(host).await?;
        let allowed: Vec<_> = found.iter().copied().filter(|found| judge(*found, &self.allow).is_ok()).collect();
        if allowed.is_empty() && !found.is_empty() {
            // Which address it is would tell a stranger about the network that we stand in.
            return Err(Denied(format!("{host} leads to no address that is allowed")).into());
        }
        Ok(allowed)
    }
}
