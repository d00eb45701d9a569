//! The address of a venue with our own options behind it: `jupiter=https://host/path?rate=60/m&key-file=…`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use hyper::header::HeaderValue;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::Fault;
use crate::address::Address;
use crate::limit::Rate;

/// How long a venue has to build a transaction unless the operator says otherwise: as long as for a quote.
const BUILD_MILLIS: u64 = 800;

/// What the options of a venue are, parsed.
pub(super) struct Options {
    address: Address,
}

impl Options {
    /// Takes `base` apart, the value of `--venue name=…`. Options that are not in `known` are refused.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] with a line that says what is wrong.
    pub(super) fn parse(name: &str, base: &str, known: &[&str]) -> Result<Self, Fault> {
        let address = Address::parse(&format!("--venue {name} at"), base, known, &[])?;
        let url = &address.url;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(address.wrong("expected http://host:port or https://host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(address.wrong("a key belongs into a file that key-file= names"));
        }
        Ok(Self { address })
    }

    /// The server, without the options.
    pub(super) fn base(&self) -> &Url {
        &self.address.url
    }

    /// One option as it stands.
    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.address.text(option)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&self, option: &str, least: u64, most: u64) -> Result<Option<u64>, Fault> {
        let Some(text) = self.text(option) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| self.wrong(&format!("{option} must be a number from {least} to {most}")))
    }

    /// `rate=`: requests per second as a number, or `60/m`, `50/s:200`.
    pub(super) fn rate(&self) -> Result<Option<Rate>, Fault> {
        self.rate_of("rate")
    }

    /// A rate under another name.
    pub(super) fn rate_of(&self, option: &str) -> Result<Option<Rate>, Fault> {
        let Some(text) = self.text(option) else { return Ok(None) };
        let whole = if text.contains('/') { text.to_owned() } else { format!("{text}/s") };
        whole.parse().map(Some).map_err(|why| self.wrong(&format!("{option}: {why}")))
    }

    /// `deadline=`: how many milliseconds the venue has to build a transaction.
    pub(super) fn deadline(&self) -> Result<Duration, Fault> {
        Ok(Duration::from_millis(self.number("deadline", 50, 10_000)?.unwrap_or(BUILD_MILLIS)))
    }

    /// `key-file=`: what stands in that file, which its owner alone may read, with `before` in front of it. It goes over TLS only,
    /// but for this machine.
    pub(super) fn key(&self, before: &str) -> Result<Option<HeaderValue>, Fault> {
        let Some(path) = self.text("key-file") else { return Ok(None) };
        if self.base().scheme() != "https" && !is_loopback(self.base()) {
            return Err(self.wrong("a key goes over https:// only"));
        }
        let key = read(Path::new(path)).map_err(|why| self.wrong(&format!("key-file {path}: {why}")))?;
        let value = Zeroizing::new(format!("{before}{}", key.trim()));
        let mut value = HeaderValue::from_str(&value).map_err(|_| self.wrong("what stands in key-file is no key"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// The node: `rpc=` names it, `rpc-file=` a file with its URL, because those of most providers hold a key.
    pub(super) fn rpc(&self) -> Result<Url, Fault> {
        let text = match (self.text("rpc"), self.text("rpc-file")) {
            (Some(url), None) => Zeroizing::new(url.to_owned()),
            (None, Some(path)) => {
                read(Path::new(path)).map_err(|why| self.wrong(&format!("rpc-file {path}: {why}")))?
            }
            _ => {
                return Err(self.wrong("it needs a Solana node: rpc=http://host:port, or rpc-file=<file with its URL>"));
            }
        };
        let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.ok_or_else(|| self.wrong("the URL of its Solana node is none"))
    }

    /// A message about this venue that says what to do.
    pub(super) fn wrong(&self, what: &str) -> Fault {
        self.address.wrong(what)
    }
}

/// What stands in a file that its owner alone may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let facts = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("others can read or change it (mode {mode:o}): say `chmod 600` to it"));
    }
    if facts.len() > 4_096 {
        return Err("it is too long".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(Zeroizing::new(text))
}

/// Whether a server is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["rate", "key-file", "rpc", "rpc-file"];

    fn parse(base: &str) -> Result<Options, Fault> {
        Options::parse("jupiter", base, &KNOWN)
    }

    #[test]
    fn options_are_taken_off() {
        let options = parse("https://host/swap?rate=7&rpc=http://127.0.0.1:1/rpc").expect("good");
        assert_eq!(options.base().as_str(), "https://host/swap");
        assert_eq!(options.rate().expect("a rate").map(|rate| rate.to_string()).as_deref(), Some("7/s:7"));
        assert_eq!(options.rpc().expect("a node").as_str(), "http://127.0.0.1:1/rpc");
    }

    #[test]
    fn what_is_wrong_is_said_without_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = folder.path().join("open");
        std::fs::write(&open, "hunter2").expect("written");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("set");
        let open = open.display();
        for (base, says) in [
            ("https://host?speed=1".to_owned(), "no parameter \"speed\""),
            ("ftp://host".to_owned(), "expected http"),
            ("https://user:hunter2@host".to_owned(), "key-file"),
            ("https://host?rate=fast".to_owned(), "rate: expected"),
            ("https://host".to_owned(), "needs a Solana node"),
            ("https://host?rpc=hunter2".to_owned(), "is none"),
            (format!("https://host?rpc-file={open}"), "chmod 600"),
            (format!("https://host?rpc=http://h&key-file={open}"), "chmod 600"),
            (format!("http://host?rpc=http://h&key-file={open}"), "https:// only"),
        ] {
            let tried = parse(&base).and_then(|o| o.rate().and(o.rpc().map(drop)).and(o.key("").map(drop)));
            let said = tried.expect_err(&base).to_string();
            assert!(
                said.contains(says) && said.contains("--venue jupiter") && !said.contains("hunter2"),
                "{base}: {said}"
            );
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (url, here) in [
            ("http://127.0.0.1:1", true),
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("https://api.jup.ag", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), here, "{url}");
        }
    }
}
