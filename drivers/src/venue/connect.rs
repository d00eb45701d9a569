//! Connections to the servers that the operator named, with TLS where the URL says so.

use std::future::Future;
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

use crate::Fault;
use crate::stream::Stream;

/// How long it may take to find the name, to connect, and to agree on TLS; a call's own deadline may be shorter.
const WITHIN: Duration = Duration::from_secs(3);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes connections for the client's pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector(TlsConnector);

impl Connector {
    /// One that trusts the system's roots.
    pub(super) fn of_the_system() -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(roots)
    }

    fn trusting(roots: RootCertStore) -> Result<Self, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Fault::Broken(format!("venues: TLS: {error}")))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Failure> {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(if secure { 443 } else { 80 }))).await?;
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Stream::Secure(Box::new(self.0.connect(name, stream).await?)))
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
        let connecting = self.clone().connect(uri);
        Box::pin(async move {
            let late = |_| format!("no connection within {WITHIN:?}");
            timeout(WITHIN, connecting).await.map_err(late)?.map(TokioIo::new)
        })
    }
}
