//! The options of a cache's URL, and how long what it holds is good.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::Entry;
use crate::Fault;

/// What stands behind the `?`.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The most bytes held in memory.
    pub(crate) bytes: u64,
    /// What every name in Redis begins with.
    pub(crate) prefix: String,
    /// How long Redis may take to answer.
    pub(crate) deadline: Duration,
    /// How long a value is good.
    ttl: Duration,
}

/// That there is nothing is good for at most so long: it is asked for by guesses, each of another key.
const ABSENT_TTL: Duration = Duration::from_secs(2);

impl Options {
    /// Reads `name=value&…`; only the `known` names may be there.
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, Fault> {
        let mut options = Self {
            bytes: 64 << 20,
            prefix: "tradewind:".to_owned(),
            deadline: Duration::from_millis(100),
            ttl: Duration::from_secs(60),
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&name) {
                return Err(wrong(&format!("unknown option {name:?}, expected {}", known.join(", "))));
            }
            let number = |most: u64| match value.parse::<u64>() {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(wrong(&format!("{name} must be a whole number from 1 to {most}"))),
            };
            match name {
                "megabytes" => options.bytes = number(1 << 20)? << 20,
                "ttl_millis" => options.ttl = Duration::from_millis(number(86_400_000)?),
                "deadline_millis" => options.deadline = Duration::from_millis(number(10_000)?),
                _ if value.is_empty() || value.len() > 64 || !value.bytes().all(|b| b.is_ascii_graphic()) => {
                    return Err(wrong("prefix must be 1 to 64 characters without spaces"));
                }
                _ => options.prefix = value.to_owned(),
            }
        }
        Ok(options)
    }

    /// How long this is good: up to a tenth more or less than its time, so that what was filled together does not end
    /// together.
    pub(crate) fn ttl(&self, key: &str, entry: &Entry) -> Duration {
        let ttl = if entry.value.is_some() { self.ttl } else { self.ttl.min(ABSENT_TTL) };
        let mut hasher = DefaultHasher::new();
        (key, entry.version).hash(&mut hasher);
        let share = u32::try_from(hasher.finish() % 201).unwrap_or(0);
        ttl * 9 / 10 + ttl * share / 1_000
    }
}

fn wrong(why: &str) -> Fault {
    Fault::Unavailable(format!("--cache: {why}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_is_filled_together_does_not_end_together() {
        let options = Options::parse("ttl_millis=1000", &["ttl_millis"]).expect("options");
        let entry = Entry { version: 1, value: Some(Bytes::new()) };
        let ttls: Vec<u128> = (0..1_000).map(|n| options.ttl(&n.to_string(), &entry).as_millis()).collect();
        assert!(ttls.iter().all(|ttl| (900..=1_100).contains(ttl)));
        assert!(ttls.iter().any(|ttl| *ttl < 930) && ttls.iter().any(|ttl| *ttl > 1_070));
        let long = Options::parse("", &[]).expect("options");
        assert!(long.ttl("a", &Entry::default()) < Duration::from_secs(3), "nothing is good for a short time only");
    }

    #[test]
    fn wrong_options_are_named() {
        let known = ["megabytes", "prefix"];
        for (text, says) in [("size=1", "size"), ("megabytes=0", "megabytes"), ("megabytes=x", "megabytes")] {
            let fault = Options::parse(text, &known).expect_err(text).to_string();
            assert!(fault.contains(says), "{text}: {fault}");
        }
        assert!(Options::parse("prefix=", &known).is_err() && Options::parse("prefix=a b", &known).is_err());
        assert_eq!(Options::parse("megabytes=2&prefix=a:", &known).expect("options").bytes, 2 << 20);
    }
}
