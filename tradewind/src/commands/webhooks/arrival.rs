//! One webhook as it arrived, and what is wrong with it.

use std::fmt;

use axum::body::Bytes;
use axum::http::HeaderMap;
use domain::Timestamp;
use domain::webhook::sign::{self, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

/// How far a sender's clock may be from ours, in seconds: as in the official libraries.
const TOLERANCE: i64 = 5 * 60;

/// What is looked at in a body.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    type_: String,
    timestamp: Option<Timestamp>,
}

/// A webhook.
pub(super) struct Arrival {
    at: Timestamp,
    id: String,
    type_: String,
    /// Since its event, in milliseconds.
    age: Option<i64>,
    verdict: Verdict,
    body: Bytes,
}

/// Whether it is from who it says.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Verified,
    NoSecret,
    Wrong(String),
}

impl Arrival {
    /// Reads and verifies.
    pub(super) fn judge(secrets: &[Secret], headers: &HeaderMap, body: Bytes, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let head: Head = serde_json::from_slice(&body).unwrap_or_default();
        let verdict = match verify(secrets, &text, &body, now) {
            Ok(()) => Verdict::Verified,
            Err(_) if secrets.is_empty() => Verdict::NoSecret,
            Err(why) => Verdict::Wrong(why),
        };
        let age = head.timestamp.map(|event| now.as_millis() - event.as_millis());
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        Self { at: now, id: shown(text("webhook-id")), type_: shown(&head.type_), age, verdict, body }
    }

    /// Everything, with its body: as JSON if it is JSON.
    pub(super) fn json(&self) -> Value {
        let (verified, why) = match &self.verdict {
            Verdict::Verified => (Value::Bool(true), None),
            Verdict::NoSecret => (Value::Null, Some("no --secret was given")),
            Verdict::Wrong(why) => (Value::Bool(false), Some(why.as_str())),
        };
        let body: Value = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned().into());
        json!({
            "at": self.at, "id": self.id, "type": self.type_, "verified": verified, "why": why, "ageMillis": self.age,
            "body": body,
        })
    }
}

fn verify<'a>(secrets: &[Secret], text: &impl Fn(&str) -> &'a str, body: &[u8], now: Timestamp) -> Result<(), String> {
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        if text(name).is_empty() {
            return Err(format!("no {name}"));
        }
    }
    let timestamp: i64 = text("webhook-timestamp").parse().map_err(|_| "webhook-timestamp is no number of seconds")?;
    if !sign::verify(secrets, text("webhook-id"), timestamp, body, text("webhook-signature")) {
        return Err("the signature is not by this secret, or the body was changed".to_owned());
    }
    let off = now.as_millis().div_euclid(1_000).saturating_sub(timestamp);
    if off.saturating_abs() > TOLERANCE {
        return Err(format!("its timestamp is {off} s old"));
    }
    Ok(())
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, id, type_, age, verdict, .. } = self;
        write!(f, "{at}  {id}  {type_:<24}  ")?;
        match age {
            Some(age) => write!(f, "{age:>6} ms  ")?,
            None => write!(f, "{:>9}  ", "-")?,
        }
        match verdict {
            Verdict::Verified => f.write_str("verified"),
            Verdict::NoSecret => f.write_str("not verified: no --secret was given"),
            Verdict::Wrong(why) => write!(f, "NOT VERIFIED: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_123_456);
    const BODY: &str = r#"{"type":"deal.created","timestamp":"2026-11-18T11:06:40.100000Z","data":{}}"#;

    fn secret(seed: u8) -> Secret {
        Secret::new(&[seed; 32]).unwrap()
    }

    fn arrival(secrets: &[Secret], timestamp: i64, signature: &str) -> Arrival {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "an-id".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        Arrival::judge(secrets, &headers, Bytes::from_static(BODY.as_bytes()), NOW)
    }

    #[test]
    fn a_line_says_what_came_and_whether_it_is_right() {
        let signed = |timestamp| sign::signature(&[secret(1)], "an-id", timestamp, BODY.as_bytes());
        let line = |secrets: &[Secret], timestamp, signature: &str| arrival(secrets, timestamp, signature).to_string();
        let [right, other] = [[secret(1)], [secret(2)]];
        let head = "2026-11-18T11:06:40.123456Z  an-id  deal.created                  23 ms  ";
        for (shown, said) in [
            (line(&right, 1_795_000_000, &signed(1_795_000_000)), "verified"),
            (line(&[], 1_795_000_000, &signed(1_795_000_000)), "not verified: no --secret was given"),
            (
                line(&other, 1_795_000_000, &signed(1_795_000_000)),
                "NOT VERIFIED: the signature is not by this secret, or the body was changed",
            ),
            (line(&right, 1_795_000_000, ""), "NOT VERIFIED: no webhook-signature"),
            (line(&right, 1_794_999_000, &signed(1_794_999_000)), "NOT VERIFIED: its timestamp is 1000 s old"),
            (line(&right, 1_795_000_301, &signed(1_795_000_301)), "NOT VERIFIED: its timestamp is -301 s old"),
        ] {
            assert_eq!(shown, format!("{head}{said}"));
        }
    }

    #[test]
    fn json_has_the_body() {
        let json = arrival(&[secret(2)], 1_795_000_000, "v1,AAAA").json();
        assert_eq!((&json["verified"], &json["body"]["type"]), (&Value::Bool(false), &"deal.created".into()));
        let odd = Arrival::judge(&[], &HeaderMap::new(), Bytes::from_static(b"no JSON"), NOW);
        assert_eq!((&odd.json()["body"], &odd.json()["verified"]), (&"no JSON".into(), &Value::Null));
        assert!(odd.to_string().contains("  -  "), "{odd}");
    }
}
