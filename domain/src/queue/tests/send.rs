//! Messages: what may be sent, the job that it becomes, dead letters and what is brought back.

use super::super::{Attribute, Message, Outgoing, Value, batch_size, call_of};
use super::*;
use crate::NewJob;

fn text(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

fn ordered(body: &str, group: &str, dedup: &str) -> Outgoing {
    Outgoing { group: Some(group.to_owned()), dedup: Some(dedup.to_owned()), ..text(body) }
}

fn attribute(name: &str, type_: &str, value: Value) -> Attribute {
    Attribute { name: name.to_owned(), type_: type_.to_owned(), value }
}

fn message(job: &NewJob) -> Message {
    serde_json::from_str(&job.body).expect("a message")
}

fn key(queue: &Queue, outgoing: &Outgoing) -> String {
    queue.job(outgoing, NOW).expect("taken").dedup.expect("one").key
}

#[test]
fn a_message_becomes_a_job_and_reads_back() {
    let queue = queue("q", &[("DelaySeconds", "7")]);
    let outgoing = Outgoing {
        attributes: vec![
            attribute("b", "Binary.gif", Value::Bytes(vec![0, 255])),
            attribute("a", "Number.int", Value::Text("-1.5e3".to_owned())),
        ],
        system: vec![attribute("AWSTraceHeader", "String", Value::Text("Root=1".to_owned()))],
        group: Some("tenant".to_owned()),
        sender: "alice".to_owned(),
        ..text("emoji 🎉 and \t\r\n")
    };
    let job = queue.job(&outgoing, NOW).expect("taken");
    assert_eq!((job.queue.as_ref(), job.run_at, &job.group), (queue.generation(), NOW.plus_millis(7_000), &None));
    let read = message(&job);
    assert_eq!((read.body.as_str(), read.sent_at), (outgoing.body.as_str(), NOW.as_millis()));
    assert_eq!(read.group.as_deref(), Some("tenant"), "shown, without an order");
    let names: Vec<_> = read.attributes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(read.attributes[1].value, Value::Bytes(vec![0, 255]));
    assert_eq!(serde_json::from_str::<Message>(&read.to_json()).expect("reads"), read);
    assert_eq!(queue.job(&Outgoing { delay: Some(0), ..text("x") }, NOW).expect("taken").run_at, NOW);
    assert_eq!(queue.sent(5).message_id, read.id(queue.generation(), 5));
    assert_eq!(queue.sent(5).sequence, None);
}

#[test]
fn a_fifo_queue_asks_for_a_group_and_knows_duplicates() {
    let plain = queue("q.fifo", &[("DelaySeconds", "7")]);
    let job = plain.job(&Outgoing { delay: Some(0), ..ordered("x", "g", "d") }, NOW).expect("taken");
    assert_eq!((job.group.as_deref(), job.run_at), (Some("g"), NOW.plus_millis(7_000)), "0 is passed over");
    assert_eq!(job.dedup.map(|dedup| dedup.window_micros), Some(300_000_000));
    assert_eq!(plain.sent(5).sequence.as_deref(), Some("00000000000000000005"));
    assert_eq!(key(&plain, &ordered("x", "g", "d")), key(&plain, &ordered("y", "h", "d")), "of the whole queue");
    let by_group = queue("q.fifo", &[("DeduplicationScope", "messageGroup")]);
    assert_ne!(key(&by_group, &ordered("x", "g", "d")), key(&by_group, &ordered("x", "h", "d")));
    assert_ne!(key(&by_group, &ordered("x", "ab", "c")), key(&by_group, &ordered("x", "a", "bc")));
    let content = queue("q.fifo", &[("ContentBasedDeduplication", "true")]);
    let same = Outgoing { dedup: None, ..ordered("x", "g", "") };
    let sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    assert_eq!(message(&content.job(&same, NOW).expect("taken")).dedup.as_deref(), Some(sum), "of the text alone");
    assert_eq!(key(&content, &same), key(&content, &ordered("z", "h", sum)), "one space of ids");

    assert_eq!(plain.job(&text("x"), NOW), Err(Refusal::MissingParameter("MessageGroupId".to_owned())));
    let refusal = plain.job(&same, NOW).expect_err("no id").to_string();
    assert!(refusal.contains("ContentBasedDeduplication enabled or MessageDeduplicationId provided"), "{refusal}");
    for bad in ["", "a b", "ä", "a\n", &"a".repeat(129)] {
        for outgoing in [ordered("x", bad, "d"), ordered("x", "g", bad)] {
            assert!(matches!(plain.job(&outgoing, NOW), Err(Refusal::InvalidParameterValue(_))), "{bad:?}");
        }
        assert!(call_of(bad).is_err(), "{bad:?}");
    }
    assert!(plain.job(&ordered("x", &"!~".repeat(64), &"#".repeat(128)), NOW).is_ok());
    let delayed = Outgoing { delay: Some(1), ..ordered("x", "g", "d") };
    assert!(matches!(plain.job(&delayed, NOW), Err(Refusal::InvalidParameterValue(_))));
}

#[test]
fn what_aws_refuses_is_refused() {
    let standard = queue("q", &[("MaximumMessageSize", "1024")]);
    assert_eq!(standard.job(&text(""), NOW), Err(Refusal::MissingParameter("MessageBody".to_owned())));
    for bad in ["\u{0}", "\u{1f}", "\u{fffe}", "a\u{b}"] {
        assert_eq!(standard.job(&text(bad), NOW), Err(Refusal::InvalidMessageContents), "{bad:?}");
    }
    for good in ["\u{fffd}", "\u{e000}", "\u{10ffff}", "\u{7f}", "\t\n\r "] {
        assert!(standard.job(&text(good), NOW).is_ok(), "{good:?}");
    }
    let mut large = text(&"x".repeat(1_000));
    large.attributes = vec![attribute("name", "String", Value::Text("v".repeat(14)))];
    assert_eq!((large.size(), batch_size(&[large.clone(), text("ab")])), (1_024, 1_026));
    assert!(standard.job(&large, NOW).is_ok());
    large.body.push('x');
    assert!(matches!(standard.job(&large, NOW), Err(Refusal::InvalidParameterValue(_))), "a byte too many");
    for delay in [-1, 901] {
        let late = Outgoing { delay: Some(delay), ..text("x") };
        assert!(matches!(standard.job(&late, NOW), Err(Refusal::InvalidParameterValue(_))));
    }
    let known = Outgoing { dedup: Some("d".to_owned()), ..text("x") };
    assert!(matches!(standard.job(&known, NOW), Err(Refusal::InvalidParameterValue(_))), "keeps no order");
}

#[test]
fn attributes_of_messages_are_checked() {
    let queue = queue("q", &[]);
    let word = |word: &str| Value::Text(word.to_owned());
    let check = |attributes: Vec<Attribute>| queue.job(&Outgoing { attributes, ..text("x") }, NOW).map(|_| ());
    let good = [
        attribute("a.b-c_9", "String", word("x")),
        attribute("n", "Number", word("1e10")),
        attribute("b", "Binary.png", Value::Bytes(vec![1])),
    ];
    assert_eq!(check(good.to_vec()), Ok(()));
    let bad = [
        attribute("", "String", word("x")),
        attribute("a b", "String", word("x")),
        attribute(".a", "String", word("x")),
        attribute("a..b", "String", word("x")),
        attribute("AWS.a", "String", word("x")),
        attribute("amazon.a", "String", word("x")),
        attribute(&"a".repeat(257), "String", word("x")),
        attribute("a", "", word("x")),
        attribute("a", "Text", word("x")),
        attribute("a", "String", word("")),
        attribute("a", "String", Value::Bytes(vec![1])),
        attribute("a", "Binary", word("x")),
        attribute("a", "Number", word("one")),
    ];
    for one in bad {
        assert!(matches!(check(vec![one.clone()]), Err(Refusal::InvalidParameterValue(_))), "{one:?}");
    }
    assert_eq!(check(vec![attribute("a", "String", word("\u{1}"))]), Err(Refusal::InvalidMessageContents));
    let many = (0..11).map(|n| attribute(&format!("a{n}"), "String", word("x")));
    assert!(check(many.clone().take(10).collect()).is_ok() && check(many.collect()).is_err());
    let system = |one: Attribute| queue.job(&Outgoing { system: vec![one], ..text("x") }, NOW).is_ok();
    assert!(system(attribute("AWSTraceHeader", "String", word("x"))));
    assert!(
        !system(attribute("Other", "String", word("x"))) && !system(attribute("AWSTraceHeader", "Number", word("1")))
    );
}

#[test]
fn a_dead_letter_keeps_its_id_and_comes_back_as_a_new_message() {
    let later = NOW.plus_millis(1_000);
    for (ending, sent_at, dedup) in [(".fifo", later, Some("the-id")), ("", NOW, None)] {
        let (source, dead) = (queue(&format!("q{ending}"), &[]), queue(&format!("dead{ending}"), &[]));
        let outgoing = if dedup.is_some() { ordered("x", "g", "d") } else { text("x") };
        let sent = message(&source.job(&outgoing, NOW).expect("taken"));
        let job = dead.dead_letter(&source, "the-id", sent.clone(), later);
        let letter = message(&job);
        assert_eq!((job.run_at, job.group.as_deref()), (later, dedup.map(|_| "g")));
        assert_eq!(job.dedup, None, "a letter is never taken for a duplicate");
        assert_eq!((letter.sent_at, letter.dedup.as_deref()), (sent_at.as_millis(), dedup));
        assert_eq!(
            (letter.id(dead.generation(), 9).as_str(), letter.dead_letter_source.clone()),
            ("the-id", Some(source.arn()))
        );
        let back = message(&source.redriven(letter, later));
        assert_eq!((back.message_id, back.dead_letter_source, back.sent_at), (None, None, later.as_millis()));
        assert_eq!(back.body, sent.body);
    }
}

#[test]
fn a_dead_letter_keeps_ten_attributes_sorted_the_newest_among_them() {
    let (source, dead) = (queue("q", &[]), queue("dead", &[]));
    let said = |name: &str| attribute(name, "String", Value::Text("x".to_owned()));
    let names = |count: usize| {
        let mut attributes: Vec<_> = "stuvwxyz12".chars().take(count).map(|c| said(&c.to_string())).collect();
        attributes.push(said("reason"));
        let letter = message(&dead.dead_letter(&source, "id", Message { attributes, ..Message::default() }, NOW));
        letter.attributes.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(names(2), ["reason", "s", "t"]);
    assert_eq!(names(10), ["1", "reason", "s", "t", "u", "v", "w", "x", "y", "z"]);
}

#[test]
fn a_message_is_over_when_its_time_of_keeping_has_passed() {
    let kept = Message { sent_at: NOW.as_millis(), ..Message::default() };
    assert!(!kept.is_over(60, NOW.plus_millis(59_999)) && kept.is_over(60, NOW.plus_millis(60_000)));
}
