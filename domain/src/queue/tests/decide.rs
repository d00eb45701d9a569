//! Queues made, made again, purged, deleted.

use super::super::{Status, delete, paused, purge, set, tag, untag};
use super::*;
use crate::{Change, Expect};

const MINUTE: i64 = 60_000_000;

fn after(micros: i64) -> Timestamp {
    NOW.plus_micros(micros)
}

fn version_written(change: &Change) -> u64 {
    change.entities[0].expect.next_version()
}

#[test]
fn a_queue_that_is_there_is_found_if_it_is_as_it_is_wanted() {
    let there = queue("q", &[("VisibilityTimeout", "40")]);
    let again = |attributes: &[(&str, &str)]| create(Some(&there), asked("q", attributes), None, Rests::default(), NOW);
    for same in [&[][..], &[("VisibilityTimeout", "40")], &[("DelaySeconds", "0"), ("VisibilityTimeout", "40")]] {
        assert_eq!(again(same), Ok((there.clone(), None)));
    }
    assert_eq!(again(&[("VisibilityTimeout", "30")]), Err(Refusal::QueueNameExists("VisibilityTimeout".to_owned())));
    assert!(matches!(again(&[("VisibilityTimeout", "x")]), Err(Refusal::InvalidAttributeValue(_))));
}

#[test]
fn a_name_rests_for_a_minute_and_comes_back_as_a_new_queue() {
    let there = queue("q", &[("DelaySeconds", "9")]);
    let (deleted, change) = delete(&there, NOW);
    assert_eq!((deleted.status, change.as_ref().map(version_written)), (Status::Deleted, Some(2)));
    let mut asked = asked("q", &[]);
    asked.generation = "019a0000-0000-7000-8000-000000000002".to_owned();
    let again = |at| create(Some(&deleted), asked.clone(), None, Rests::default(), at);
    assert_eq!(again(after(MINUTE - 1)), Err(Refusal::QueueDeletedRecently));
    let (made, change) = again(after(MINUTE)).expect("made");
    assert_eq!(change.expect("a change").entities[0].expect, Expect::Version(2));
    assert_eq!((made.version, made.settings().delay, made.body.created_at), (3, 0, after(MINUTE)));
    assert_eq!(made.body.old, [there.generation()], "what is still to be cleared away");
    assert_ne!(made.generation(), there.generation());
}

#[test]
fn a_purge_begins_a_generation_at_most_once_a_minute() {
    let there = queue("q", &[]);
    let purged = purge(&there, "new".to_owned(), Rests::default(), NOW).expect("purged").0;
    assert_eq!((purged.generation(), &purged.body.old[..]), ("new", &[there.generation().to_owned()][..]));
    let again = |at| purge(&purged, "newer".to_owned(), Rests::default(), at);
    assert_eq!(again(after(MINUTE - 1)), Err(Refusal::PurgeQueueInProgress("q".to_owned())));
    assert!(again(after(MINUTE)).is_ok());
    let cleared = purged.cleared(there.generation());
    assert_eq!((cleared.status, cleared.body.old.len()), (Status::Active, 0));
    let deleted = delete(&cleared, NOW).0;
    assert_eq!(deleted.cleared("new").status, Status::Cleared);
}

#[test]
fn what_changes_nothing_is_no_change() {
    let there = queue("q", &[]);
    let tags = |value: &str| [("k".to_owned(), value.to_owned())].into();
    let tagged = tag(&there, tags("v"), NOW).expect("tagged").0;
    assert_eq!(tagged.version, 2);
    assert_eq!(tag(&tagged, tags("v"), NOW), Ok((tagged.clone(), None)));
    assert_eq!(untag(&there, &["k".to_owned()], NOW).1, None);
    assert_eq!(untag(&tagged, &["k".to_owned()], NOW).0.body.tags.len(), 0);
    assert_eq!(paused(&there, false, NOW).1, None);
    assert!(paused(&there, true, NOW).0.body.paused);
    let many = (0..51).map(|n| (n.to_string(), String::new())).collect();
    assert!(matches!(tag(&there, many, NOW), Err(Refusal::InvalidParameterValue(_))));
    for (key, value) in [("", ""), ("a\0", ""), ("a", "b\0"), ("a\n", ""), ("a", "\u{85}")] {
        let refused = tag(&there, [(key.to_owned(), value.to_owned())].into(), NOW);
        assert!(matches!(refused, Err(Refusal::InvalidParameterValue(_))), "{key:?} {value:?}");
    }
}

#[test]
fn a_dead_letter_queue_is_there_of_the_same_type_and_willing() {
    let source = queue("q.fifo", &[]);
    let policy = |name: &str| {
        wanted(&[("RedrivePolicy", &format!("{{\"deadLetterTargetArn\":\"{}\"}}", arn::of(&Owner::default(), name)))])
    };
    let with = |target: &Queue| set(&source, &policy(target.name()), Some(target), NOW);
    assert_eq!(
        with(&queue("dead.fifo", &[])).expect("set").0.settings().redrive.as_ref().map(|one| one.target.as_str()),
        Some("dead.fifo")
    );
    let refused = |result: Result<_, Refusal>| matches!(result, Err(Refusal::InvalidParameterValue(_)));
    assert!(refused(set(&source, &policy("dead.fifo"), None, NOW)), "is not there");
    assert!(refused(with(&delete(&queue("dead.fifo", &[]), NOW).0)), "is there no more");
    assert!(refused(with(&queue("dead", &[]))), "keeps no order");
    assert!(refused(with(&source)), "is itself");
    assert!(refused(with(&queue("dead.fifo", &[("RedriveAllowPolicy", "{\"redrivePermission\":\"denyAll\"}")]))));
    let named = |arn: &str| format!("{{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"{arn}\"]}}");
    assert!(with(&queue("dead.fifo", &[("RedriveAllowPolicy", &named(&source.arn()))])).is_ok());
    assert!(refused(with(&queue(
        "dead.fifo",
        &[("RedriveAllowPolicy", &named("arn:aws:sqs:us-east-1:123456789012:x"))]
    ))));
}
