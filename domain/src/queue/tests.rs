//! Queues: attributes, names, messages and handles as AWS has them.

mod attributes;
mod decide;
mod send;

use super::{Create, Handle, Queue, Refusal, Rests, Secret, Wanted, arn, check_name, create, id_of};
use crate::{Owner, Timestamp};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_000_000_123_456);

fn owner(name: &str) -> Owner {
    Owner::parse(name).expect("a name")
}

fn wanted(attributes: &[(&str, &str)]) -> Wanted {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn asked(name: &str, attributes: &[(&str, &str)]) -> Create {
    let mut wanted = wanted(attributes);
    if name.ends_with(".fifo") {
        wanted.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    let generation = "019a0000-0000-7000-8000-000000000001".to_owned();
    Create { account: Owner::default(), name: name.to_owned(), wanted, tags: Default::default(), generation }
}

fn queue(name: &str, attributes: &[(&str, &str)]) -> Queue {
    create(None, asked(name, attributes), None, Rests::default(), NOW).expect("made").0
}

#[test]
fn names_are_plain_and_at_most_80_characters_long() {
    for good in ["a", "A-b_9", "a.fifo", &"a".repeat(80), &format!("{}.fifo", "a".repeat(75))] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in ["", ".fifo", "a.b", "a b", "ä", "a.FIFO", &"a".repeat(81), &format!("{}.fifo", "a".repeat(76))] {
        assert!(matches!(check_name(bad), Err(Refusal::InvalidParameterValue(_))), "{bad}");
    }
}

#[test]
fn ids_are_of_account_and_name() {
    let ids = [("a", "q"), ("b", "q"), ("a", "r")].map(|(account, name)| id_of(&owner(account), name));
    assert_eq!(ids[0], id_of(&owner("a"), "q"));
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    // Rows have it for ever.
    assert_eq!(id_of(&Owner::default(), "orders"), "5b37ae30-388c-5739-9f74-b7213f214834");
}

#[test]
fn an_arn_names_a_queue_of_the_account_whose_digits_it_has() {
    assert_eq!(arn::of(&Owner::default(), "q"), "arn:aws:sqs:us-east-1:123456789012:q");
    assert_eq!(arn::digits(&owner("000000000007")), "000000000007");
    let made = arn::digits(&owner("alice"));
    assert!(made.len() == 12 && made.bytes().all(|b| b.is_ascii_digit()) && made != arn::digits(&owner("bob")));
    let alice = owner("alice");
    assert_eq!(arn::name_of(&alice, &arn::of(&alice, "q.fifo")), Some("q.fifo"));
    assert_eq!(arn::name_of(&alice, &format!("arn:aws:sqs:eu-west-1:{made}:q")), Some("q"));
    for other in
        ["", "q", "arn:aws:sns:us-east-1:123456789012:q", "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:sqs"]
    {
        assert_eq!(arn::name_of(&alice, other), None, "{other}");
    }
}

#[test]
fn a_handle_opens_unchanged_for_its_queue_and_installation_only() {
    let secret = Secret([7; 32]);
    let queue = id_of(&Owner::default(), "q");
    let handle = Handle {
        queue: Uuid::parse_str(&queue).expect("an id"),
        generation: Uuid::from_u128(1 << 100),
        job: u64::MAX - 1,
        token: 3,
        received_at: NOW,
    };
    let text = handle.seal(&secret);
    assert_eq!(Handle::open(&secret, &queue, &text), Ok(handle));
    let refused = |secret: &Secret, queue: &str, text: &str| {
        assert_eq!(Handle::open(secret, queue, text), Err(Refusal::ReceiptHandleIsInvalid(text.to_owned())), "{text}");
    };
    refused(&Secret([8; 32]), &queue, &text);
    refused(&secret, &id_of(&Owner::default(), "r"), &text);
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        refused(&secret, &queue, &String::from_utf8(changed).expect("ASCII"));
        refused(&secret, &queue, &text[..at]);
    }
    for garbage in ["", "garbage", "ä", &"A".repeat(1_000)] {
        refused(&secret, &queue, garbage);
    }
}
