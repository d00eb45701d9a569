//! Values of settings, parsed into types that cannot be wrong.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use domain::Owner;
use engine::Concurrency;

/// The longest wait: a day.
const LONGEST: u64 = 86_400_000;
/// The longest time that events are kept for, unless for ever: ten years.
const OLDEST: u64 = 3_650 * 86_400_000;
/// The most jobs of one queue at once.
const AT_ONCE_LIMIT: usize = 4_096;

/// Reads a length of time: `800ms`, `30s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match millis(text)? {
        millis @ 1..=LONGEST if !text.ends_with('d') => Ok(Duration::from_millis(millis)),
        _ => Err("expected between 1ms and 24h".to_owned()),
    }
}

/// Reads a pause, which may be none: `0s`, `5s`.
pub(crate) fn pause(text: &str) -> Result<Duration, String> {
    if millis(text)? == 0 { Ok(Duration::ZERO) } else { duration(text) }
}

/// Reads an age: `12h`, `90d`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    match millis(text)? {
        millis @ 1..=OLDEST => Ok(Duration::from_millis(millis)),
        _ => Err("expected between 1ms and 3650d".to_owned()),
    }
}

fn millis(text: &str) -> Result<u64, String> {
    let expected = || "expected a number with ms, s, m, h or d, such as 800ms or 30s".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    Ok(number.saturating_mul(millis))
}

/// What a process may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// HTTP and sockets.
    Api,
    /// Workers, expiries, retention.
    Work,
    /// Exports.
    Relay,
}

/// How many jobs of one queue are worked on at once: `swap.execute=256`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtOnce {
    pub(crate) queue: &'static str,
    pub(crate) jobs: usize,
}

impl FromStr for AtOnce {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let table = Concurrency::default();
        let (name, jobs) = text.split_once('=').ok_or("expected queue=number, such as swap.execute=256")?;
        let queue = table.queues().find(|queue| *queue == name).ok_or_else(|| {
            let known: Vec<_> = table.queues().collect();
            format!("there is no queue {name:?}, there are {}", known.join(", "))
        })?;
        let jobs = jobs.parse().ok().filter(|jobs| *jobs <= AT_ONCE_LIMIT);
        let jobs = jobs.ok_or_else(|| format!("{name}: expected a number from 0 to {AT_ONCE_LIMIT}"))?;
        Ok(Self { queue, jobs })
    }
}

/// A facade with a listener of its own.
#[derive(Clone, Debug)]
pub(crate) struct Facade {
    /// Which one.
    pub(crate) name: api::FacadeName,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl FromStr for Facade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.split_once('=').and_then(|(name, rest)| Some((api::FacadeName::parse(name)?, rest)));
        let Some((name, address)) = named else {
            let names: Vec<_> =
                api::FacadeName::ALL.iter().map(|name| format!("{}=<address>", name.as_str())).collect();
            return Err(format!("expected {}, such as dex=127.0.0.1:3000", names.join(" or ")));
        };
        let address = address.parse().map_err(|_| format!("{address:?} is no address such as 127.0.0.1:3000"))?;
        Ok(Self { name, address })
    }
}

/// A secret as it was given, of the installation or of a webhook endpoint; prints as dots. It is read late, so that no error can quote it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The 32 bytes that its 64 hexadecimal digits stand for.
    pub(crate) fn bytes(&self) -> Result<[u8; 32], String> {
        let wrong = || "the secret must be 64 hexadecimal digits: make one with `openssl rand -hex 32`".to_owned();
        let digits = self.0.trim().as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(bytes)
    }

    /// The secret of a webhook endpoint.
    pub(crate) fn webhook(&self) -> Result<domain::webhook::sign::Secret, &'static str> {
        self.0.trim().parse()
    }
}

/// A key to show to a server; prints as dots. Any text is taken, so that no error can quote it.
#[derive(Clone)]
pub(crate) struct ClientKey(String);

impl ClientKey {
    /// A key that was just made.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub(crate) fn text(&self) -> &str {
        self.0.trim()
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl FromStr for ClientKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// A facade that needs no key, and the account on which it acts then: `dex=legacy`.
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    pub(crate) facade: &'static str,
    pub(crate) account: Owner,
}

impl FromStr for Anonymous {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected <facade>=<account>, such as dex=legacy".to_owned();
        let (name, account) = text.split_once('=').ok_or_else(expected)?;
        let known = api::FacadeName::ALL.map(api::FacadeName::as_str);
        let facade = known.into_iter().find(|facade| *facade == name);
        let facade = facade.ok_or_else(|| format!("there is no facade {name:?}, there are {}", known.join(", ")))?;
        let account = Owner::parse(account).ok_or_else(|| format!("{account:?} is no account's name"))?;
        Ok(Self { facade, account })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}
