//! How every driver on PostgreSQL reaches its server: the URL with our own options, TLS, and errors in one line.

use std::error::Error as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Fault, without_secrets};

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// When the server's host is gone, its connections break after this time.
const UNANSWERED: Duration = Duration::from_secs(5);
/// The oldest server: 15.
const OLDEST: i32 = 150_000;
/// Connections that answer reads, unless the URL says otherwise.
const POOL: usize = 10;
const POOL_LIMIT: usize = 1_000;

/// A server by its URL: `postgres://user:password@host[,host…]/database?option=…`.
///
/// Beside the options of libpq that the client knows: `sslmode` = `disable`, or `verify-full` (also by its name `require`),
/// which verifies the server's certificate and is the default but on loopback and Unix sockets; `sslrootcert`, a PEM file
/// of the roots to trust instead of the system's; `pool`, connections for reads (10); `synchronous_commit=off`, which lets
/// a crash of the server's machine lose what was answered.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// How many connections answer reads.
    pub(crate) pool: usize,
    /// The operator accepts that answered writes may be lost.
    pub(crate) may_lose: bool,
    /// The URL without its password.
    shown: String,
}

impl Server {
    /// Reads the URL; `flag` names the setting in errors.
    pub(crate) fn parse(flag: &str, url: &str) -> Result<Self, Fault> {
        let shown = format!("{flag} {}", without_secrets(url));
        let refuse = |why: String| Fault::Unavailable(format!("{shown}: {why}"));
        let (base, options) = url.split_once('?').unwrap_or((url, ""));
        let mut ours = Options::default();
        let mut theirs = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !ours.take(name, value).map_err(refuse)? {
                theirs.push(option);
            }
        }
        let url = if theirs.is_empty() { base.to_owned() } else { format!("{base}?{}", theirs.join("&")) };
        let mut config: Config = url.parse().map_err(|error: Error| {
            refuse(format!("{}; correct the URL: postgres://user:password@host/database", chain(&error)))
        })?;
        let local = config.get_hosts().iter().all(is_local);
        let mode = if ours.tls.unwrap_or(!local) { SslMode::Require } else { SslMode::Disable };
        config.ssl_mode(mode).connect_timeout(CONNECT_WITHIN).tcp_user_timeout(UNANSWERED);
        config.keepalives_idle(UNANSWERED).keepalives_interval(Duration::from_secs(1)).keepalives_retries(3);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let tls = MakeRustlsConnect::new(tls(mode, ours.roots.as_deref()).map_err(refuse)?);
        Ok(Self { config, tls, pool: ours.pool, may_lose: ours.may_lose, shown })
    }

    /// How long it may take to be connected: the client tries one host after the other.
    pub(crate) fn connected_within(&self) -> Duration {
        CONNECT_WITHIN * u32::try_from(self.config.get_hosts().len()).unwrap_or(1) + Duration::from_secs(2)
    }

    /// The client's settings with session parameters, such as `-c statement_timeout=5000`, and the name of the session.
    pub(crate) fn config(&self, name: &str, parameters: &str) -> Config {
        let mut config = self.config.clone();
        let options = config.get_options().map_or_else(|| parameters.to_owned(), |own| format!("{own} {parameters}"));
        if !options.is_empty() {
            config.options(options);
        }
        config.application_name(name);
        config
    }

    /// The maker of TLS sessions.
    pub(crate) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// The setting and the URL without its secrets, as messages begin.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// What is wrong with the server, in one line that says what to do.
    pub(crate) fn refuse(&self, why: &str) -> Fault {
        Fault::Unavailable(format!("{}: {why}", self.shown))
    }

    /// Why it could not be reached, in one line that says what to do.
    pub(crate) fn unreachable(&self, error: &Error) -> Fault {
        let said = chain(error);
        let state = error.code();
        let todo = match state {
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                "correct the name and the password in the URL, or pg_hba.conf"
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => "create the database or correct its name",
            Some(&SqlState::TOO_MANY_CONNECTIONS) => "raise max_connections, or lower ?pool= of the nodes",
            None if said.contains("does not allow writes") => {
                "it is a read-only replica; name the primary, or all hosts separated by commas"
            }
            None if said.contains("does not support TLS") => "switch TLS on there, or say sslmode=disable",
            None if said.contains("certificate") => "give the roots to trust with sslrootcert=<file>",
            _ => "start the server or correct the URL",
        };
        self.refuse(&format!("{said}; {todo}"))
    }

    /// Refuses what promises could not be kept on: an old server, a replica, unsafe commits.
    pub(crate) async fn check(&self, client: &tokio_postgres::Client) -> Result<(), Fault> {
        let row = client
            .query_one(
                "select current_setting('server_version_num')::int, current_setting('server_version'),
                 current_setting('transaction_read_only'), current_setting('synchronous_commit'), current_setting('fsync')",
                &[],
            )
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (version, name): (i32, &str) = (row.get(0), row.get(1));
        let (read_only, commits, fsync): (&str, &str, &str) = (row.get(2), row.get(3), row.get(4));
        if version < OLDEST {
            return Err(self.refuse(&format!("it is PostgreSQL {name}; version 15 or newer is needed")));
        }
        if read_only == "on" {
            return Err(self.refuse("it is read-only, as a replica is; name the primary"));
        }
        if (commits == "off" || fsync == "off") && !self.may_lose {
            return Err(self.refuse(
                "synchronous_commit or fsync is off there, so that answered orders could be lost; switch it on, or accept \
                 that with synchronous_commit=off in the URL",
            ));
        }
        Ok(())
    }
}

/// The options that are ours.
struct Options {
    tls: Option<bool>,
    roots: Option<String>,
    pool: usize,
    may_lose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { tls: None, roots: None, pool: POOL, may_lose: false }
    }
}

impl Options {
    /// False when the option is none of ours.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match (name, value) {
            ("sslmode", "disable") => self.tls = Some(false),
            ("sslmode", "require" | "verify-full") => self.tls = Some(true),
            ("sslmode", other) => return Err(format!("sslmode={other}: expected disable or verify-full")),
            ("sslrootcert", file) => self.roots = Some(file.to_owned()),
            ("pool", count) => {
                let count: Option<usize> = count.parse().ok().filter(|n| (1..=POOL_LIMIT).contains(n));
                self.pool = count.ok_or_else(|| format!("pool: expected a number from 1 to {POOL_LIMIT}"))?;
            }
            ("synchronous_commit", "off") => self.may_lose = true,
            ("synchronous_commit", other) => return Err(format!("synchronous_commit={other}: expected off, or none")),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Unix(_) => true,
    }
}

fn tls(mode: SslMode, roots: Option<&str>) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    if mode != SslMode::Disable {
        match roots {
            Some(file) => {
                let unreadable = |error| format!("sslrootcert {file} cannot be read: {error}");
                for certificate in CertificateDer::pem_file_iter(Path::new(file)).map_err(unreadable)? {
                    store
                        .add(certificate.map_err(unreadable)?)
                        .map_err(|error| format!("sslrootcert {file}: {error}"))?;
                }
            }
            None => drop(store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| error.to_string())?.with_root_certificates(store).with_no_client_auth())
}

/// The error with its causes, in one line.
pub(crate) fn chain(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said.lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed_or_refused_in_one_line() {
        let server = Server::parse("--journal", "postgres://u:p@127.0.0.1/d?pool=3&synchronous_commit=off").unwrap();
        assert!(server.pool == 3 && server.may_lose && server.config.get_ssl_mode() == SslMode::Disable);
        let far = Server::parse("--journal", "postgres://u:p@db.example/d").unwrap();
        assert_eq!(far.config.get_ssl_mode(), SslMode::Require);
        let wrong = [
            ("postgres://u:secret@h/d?pool=0", "pool"),
            ("postgres://u:secret@h/d?pool=many", "pool"),
            ("postgres://u:secret@h/d?sslmode=prefer", "sslmode=prefer"),
            ("postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=/none", "sslrootcert"),
            ("postgres://u:secret@h/d?nonsense=1", "nonsense"),
            ("postgres://u:secret@h:port/d", "postgres://h:port/d"),
        ];
        for (url, names) in wrong {
            let said = Server::parse("--journal", url).err().unwrap().to_string();
            assert!(said.contains(names) && !said.contains("secret") && !said.contains('\n'), "{said}");
        }
    }
}
