//! Signatures against the official library, both ways, and against its published example.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use standardwebhooks::Webhook;

use super::*;

const ID: &str = "0197d4f0-3c1e-7f1a-8a49-0f5f3a1b2c3d";
const BODY: &[u8] = r#"{"type":"deal.created","timestamp":"2026-11-21T17:00:00Z","data":{"name":"Käse €"}}"#.as_bytes();

fn secret(length: usize, seed: u8) -> Secret {
    let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i).expect("short").wrapping_mul(37) ^ seed).collect();
    Secret::new(&bytes).expect("a secret")
}

/// The official library judges by the clock.
#[expect(clippy::disallowed_methods, reason = "it asks the clock itself")]
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("seconds")
}

fn headers(timestamp: i64, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", ID.parse().expect("a value"));
    headers.insert("webhook-timestamp", timestamp.to_string().parse().expect("a value"));
    headers.insert("webhook-signature", signature.parse().expect("a value"));
    headers
}

#[test]
fn the_published_example_comes_out() {
    let secret: Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse().expect("a secret");
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let signed = signature(&[secret], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
    assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

#[test]
fn the_official_library_verifies_ours_with_each_secret_of_a_rotation() {
    let secrets = [secret(24, 1), secret(33, 2), secret(64, 3)];
    let now = now();
    let signed = signature(&secrets, ID, now, BODY);
    for secret in &secrets {
        let official = Webhook::new(&secret.show()).expect("it reads the secret");
        official.verify(BODY, &headers(now, &signed)).expect("it verifies");
        assert!(official.verify(&BODY[1..], &headers(now, &signed)).is_err(), "another body");
        assert!(official.verify(BODY, &headers(now + 1, &signed)).is_err(), "another instant");
    }
    let stranger = Webhook::new(&secret(24, 9).show()).expect("it reads the secret");
    assert!(stranger.verify(BODY, &headers(now, &signed)).is_err());
}

#[test]
fn ours_verifies_what_the_official_library_signs() {
    let secrets = [secret(24, 1), secret(64, 3)];
    for secret in &secrets {
        let signed = Webhook::new(&secret.show()).expect("it reads the secret").sign(ID, 1_800_000_000, BODY);
        let signed = signed.expect("it signs");
        assert!(verify(&secrets, ID, 1_800_000_000, BODY, &signed));
        assert!(verify(&secrets, ID, 1_800_000_000, BODY, &format!("v1a,xx {signed} v1,")));
        assert!(!verify(&secrets, ID, 1_800_000_001, BODY, &signed));
        assert!(!verify(&secrets, "other", 1_800_000_000, BODY, &signed));
        assert!(!verify(&secrets, ID, 1_800_000_000, b"{}", &signed));
        assert!(!verify(&[], ID, 1_800_000_000, BODY, &signed));
    }
    for nothing in ["", " ", "v1,", "v1", "v1,!!!!", "v2,AAAA", "v1,AAAA"] {
        assert!(!verify(&secrets, ID, 1, BODY, nothing), "{nothing:?}");
    }
}

#[test]
fn every_part_is_a_version_a_comma_and_padded_base64() {
    let signed = signature(&[secret(24, 1), secret(25, 2)], ID, 1, BODY);
    let parts: Vec<_> = signed.split(' ').collect();
    assert_eq!(parts.len(), 2);
    for part in parts {
        // The Python library breaks on a part without exactly one comma.
        let (version, code) = part.split_once(',').expect("a comma");
        assert_eq!((version, STANDARD.decode(code).map(|code| code.len())), ("v1", Ok(32)), "{part}");
    }
}

#[test]
fn a_secret_is_of_24_to_64_bytes_and_never_shown_by_accident() {
    for (length, right) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
        assert_eq!(Secret::new(&vec![7; length]).is_some(), right, "{length}");
        let text = format!("whsec_{}", STANDARD.encode(vec![7; length]));
        assert_eq!(text.parse::<Secret>().is_ok(), right, "{length}");
    }
    let secret = secret(32, 5);
    assert_eq!(secret.show().parse(), Ok(secret.clone()));
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    for wrong in
        ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD", "whpk_AAAA"]
    {
        assert!(wrong.parse::<Secret>().is_err(), "{wrong:?}");
    }
    let unpadded = self::secret(25, 1).show().trim_end_matches('=').to_owned();
    assert!(unpadded.parse::<Secret>().is_err(), "some official libraries refuse it");
}
