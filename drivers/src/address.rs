//! Addresses of servers: our own parameters taken off, names and passwords hidden.

use std::collections::BTreeMap;

use url::Url;

use crate::Fault;

/// The URL behind a flag, taken apart.
pub(crate) struct Address {
    /// What the client is to connect to: without our parameters.
    pub(crate) url: Url,
    /// The flag and the URL without its secrets, as messages begin.
    pub(crate) shown: String,
    ours: BTreeMap<String, String>,
}

impl Address {
    /// Parses `text`, the value of `flag`. Parameters in `ours` are taken off, those in `theirs` left for the client.
    ///
    /// # Errors
    /// [`Fault::Unavailable`]: no URL, no host, a parameter that nobody knows.
    pub(crate) fn parse(flag: &str, text: &str, ours: &[&str], theirs: &[&str]) -> Result<Self, Fault> {
        let shown = format!("{flag} {}", without_secrets(text));
        let wrong = |what: String| Fault::Unavailable(format!("{shown}: {what}"));
        let mut url = Url::parse(text).map_err(|error| wrong(format!("this is no URL ({error})")))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("the host is missing: say <scheme>://host:port".to_owned()));
        }
        let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        let mut taken = BTreeMap::new();
        for (key, value) in all {
            if ours.contains(&key.as_str()) {
                taken.insert(key, value);
            } else if theirs.contains(&key.as_str()) {
                url.query_pairs_mut().append_pair(&key, &value);
            } else {
                let known = [ours, theirs].concat().join(", ");
                return Err(wrong(format!("there is no parameter {key:?}, there are {known}")));
            }
        }
        Ok(Self { url, shown, ours: taken })
    }

    /// One of our parameters, as it stands.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.ours.get(key).map(String::as_str)
    }

    /// One of our parameters, a plain word: letters, digits, `-` and `_`, at most 64.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when it is something else.
    pub(crate) fn word(&self, key: &str) -> Result<Option<&str>, Fault> {
        let Some(value) = self.ours.get(key) else { return Ok(None) };
        if value.is_empty() || value.len() > 64 || !value.chars().all(plain) {
            return Err(self.wrong(&format!("{key} must be letters, digits, - and _, at most 64")));
        }
        Ok(Some(value))
    }

    /// One of our parameters, a whole number from `least` to `most`.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when it is something else.
    pub(crate) fn number(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>, Fault> {
        let Some(value) = self.ours.get(key) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| self.wrong(&format!("{key} must be a number from {least} to {most}")))
    }

    /// A message about this address that says what to do.
    pub(crate) fn wrong(&self, what: &str) -> Fault {
        Fault::Unavailable(format!("{}: {what}", self.shown))
    }
}

/// Whether a character is plain everywhere: in a channel's name, a subject's token, a stream's name.
pub(crate) const fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// The URL without name, password and parameters, for messages, labels and logs. What is no URL of a server is left as it
/// is; of what cannot be told apart nothing is shown.
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password may hold any sign, also one that begins the parameters; so may a parameter hold an `@`.
    let (secret, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    if secret.contains('?') {
        return format!("{scheme}://…");
    }
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{}", place.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let cases = [
            ("redis://:secret@host:1/2?a=b", "redis://host:1/2"),
            ("nats://user:se@cret@host", "nats://host"),
            ("postgres://user:secret@a,b:5/x?password=secret", "postgres://a,b:5/x"),
            ("postgres://host?password=se@cret", "postgres://…"),
            ("nats://user:se?cret@host", "nats://…"),
            ("simnet=http://user:secret@host:8090", "simnet=http://host:8090"),
            ("http://host:8090/", "http://host:8090"),
            ("file:events.jsonl", "file:events.jsonl"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn our_parameters_are_taken_off() {
        let address =
            Address::parse("--wake", "redis://:p@host:1/2?prefix=x&protocol=3", &["prefix"], &["protocol"]).unwrap();
        assert_eq!(address.url.as_str(), "redis://:p@host:1/2?protocol=3");
        assert_eq!(address.word("prefix"), Ok(Some("x")));
        assert_eq!(address.shown, "--wake redis://host:1/2");
    }

    #[test]
    fn wrong_addresses_say_what_is_wrong() {
        let cases = [
            ("redis://", "host is missing"),
            ("redis://host:port", "no URL"),
            ("redis://host?prefex=a", "no parameter \"prefex\", there are prefix"),
            ("redis://host?prefix=a.b", "letters, digits"),
            ("redis://host?prefix=", "letters, digits"),
        ];
        for (url, expected) in cases {
            let parsed = Address::parse("--wake", url, &["prefix"], &[]);
            let said = parsed.and_then(|address| address.word("prefix").map(drop)).unwrap_err().to_string();
            assert!(
                said.contains(expected) && said.contains("--wake redis://") && !said.contains('\n'),
                "{url}: {said}"
            );
        }
    }
}
