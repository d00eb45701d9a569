//! Batches folded in memory: what each change finds of the ones before it.

use domain::{Given, LevelMove, MessageStep, Settle};

use super::*;

const AT: Timestamp = Timestamp(1_000);

fn standings() -> Standings {
    let message = |group: Option<&str>| StandingMessage {
        queue: "q".to_owned(),
        group: group.map(str::to_owned),
        run_at: AT.0 + 50,
        token: 7,
        written: false,
    };
    let queue = Standing { version: 3, owner: "alice".to_owned(), written: None };
    Standings {
        entities: HashMap::from([((Kind::Queue, "a".to_owned()), queue)]),
        messages: HashMap::from([(1, message(Some("g"))), (2, message(None))]),
        levels: HashMap::from([("stock".to_owned(), StandingLevel { value: 2, written: false })]),
        ..Standings::default()
    }
}

fn step(job: JobId, then: Settle) -> Change {
    let step = MessageStep { queue: "q".to_owned(), job, token: Some(7), late: false, then };
    Change { at: AT, messages: vec![step], ..Change::default() }
}

fn moved(adds: &[i64]) -> Change {
    let levels = adds.iter().map(|add| LevelMove { name: "stock".to_owned(), add: *add, most: None }).collect();
    Change { at: AT, levels, ..Change::default() }
}

fn given(version: u64) -> Change {
    let given = vec![Given { kind: Kind::Queue, id: "a".to_owned(), version }];
    Change { at: AT, given, ..Change::default() }
}

/// How each change of a batch ended: none where it holds.
fn conflicts(changes: &[Change]) -> (Vec<Option<Conflict>>, Folded) {
    let folded = fold(standings(), changes.iter());
    let ends = folded.answers.iter().map(|answer| match answer {
        Ok(_) => None,
        Err(Fault::Conflict(conflict)) => Some(conflict.clone()),
        Err(fault) => panic!("{fault}"),
    });
    (ends.collect(), folded)
}

#[test]
fn a_deleted_message_is_gone_for_the_changes_behind() {
    let (ends, folded) = conflicts(&[
        step(1, Settle::Delete),
        step(1, Settle::Delete),
        step(1, Settle::ShowAt(AT)),
        step(9, Settle::Delete),
    ]);
    assert_eq!(ends, [None, Some(Conflict::Gone(1)), Some(Conflict::Gone(1)), Some(Conflict::Gone(9))]);
    assert_eq!(folded.writes.ended, [1]);
    assert_eq!(folded.hint.queues, ["q"], "the next of its group may be received");
}

#[test]
fn a_shown_message_lapses_for_the_changes_behind_unless_they_may_be_late() {
    let mut late = step(2, Settle::Delete);
    late.messages[0].late = true;
    let (ends, folded) = conflicts(&[step(2, Settle::ShowAt(AT)), step(2, Settle::Delete), late]);
    assert_eq!(ends, [None, Some(Conflict::StaleLease(2)), None]);
    assert_eq!((folded.writes.ended.as_slice(), folded.hint.queues), ([2].as_slice(), vec!["q".to_owned()]));
}

#[test]
fn an_older_hand_out_and_another_queue_find_nothing() {
    let (mut old, mut elsewhere, mut whoever) =
        (step(1, Settle::Delete), step(1, Settle::Delete), step(1, Settle::Delete));
    old.messages[0].token = Some(6);
    let mut late = old.clone();
    late.messages[0].late = true;
    "other".clone_into(&mut elsewhere.messages[0].queue);
    whoever.messages[0].token = None;
    let (ends, _) = conflicts(&[old, late, elsewhere, whoever]);
    let gone = Some(Conflict::Gone(1));
    assert_eq!(ends, [Some(Conflict::StaleLease(1)), gone.clone(), gone, None]);
}

#[test]
fn a_batch_takes_from_a_level_what_is_there() {
    let refused = |at| Some(Conflict::Level { name: "stock".to_owned(), at });
    let (ends, folded) =
        conflicts(&[moved(&[-1]), moved(&[-1]), moved(&[-1]), moved(&[5]), moved(&[-3, -3]), moved(&[-9, 4])]);
    assert_eq!(ends, [None, None, refused(0), None, refused(5), None]);
    assert!(!folded.writes.is_empty());
    let (ends, folded) = conflicts(&[moved(&[-3])]);
    assert_eq!((ends, folded.writes.is_empty()), (vec![refused(2)], true));
}

fn queue(version: u64, body: &str) -> EntityWrite {
    EntityWrite {
        kind: Kind::Queue,
        id: "a".to_owned(),
        expect: Expect::Version(version),
        status: "active",
        owner: Owner::default(),
        party: None,
        parent: None,
        body: body.to_owned(),
        event: None,
    }
}

#[test]
fn what_is_given_follows_the_batch() {
    let queue = |version| Change { entities: vec![queue(version, "")], ..given(version) };
    let missed = Some(Conflict::Version { kind: Kind::Queue, id: "a".to_owned() });
    let (ends, _) = conflicts(&[given(3), given(4), queue(3), given(3), given(4), queue(4)]);
    assert_eq!(ends, [None, missed.clone(), None, missed, None, None]);
}

#[test]
fn a_failed_change_settles_and_moves_nothing() {
    let failing = Change { messages: step(1, Settle::Delete).messages, ..moved(&[-3]) };
    let other = Change { levels: moved(&[-1]).levels, ..step(9, Settle::Delete) };
    let (ends, folded) = conflicts(&[failing, other, step(1, Settle::Delete), moved(&[-2])]);
    assert!(ends[0].is_some() && ends[1].is_some());
    assert_eq!((&ends[2], &ends[3]), (&None, &None));
    assert_eq!(folded.writes.ended, [1]);
}

#[test]
fn texts_that_postgresql_cannot_hold_are_refused() {
    let mut zero = moved(&[1]);
    "\0".clone_into(&mut zero.levels[0].name);
    let folded = fold(standings(), [zero].iter());
    assert!(matches!(folded.answers[..], [Err(Fault::Broken(_))]));
}

#[test]
fn bodies_that_postgresql_cannot_look_into_are_refused() {
    let holds = |kind, body: &str| {
        let write = EntityWrite { kind, expect: Expect::Absent, id: "b".to_owned(), ..queue(1, body) };
        let folded = fold(standings(), [Change { entities: vec![write], ..moved(&[]) }].iter());
        match &folded.answers[0] {
            Ok(_) => true,
            Err(Fault::Broken(_)) => false,
            Err(fault) => panic!("{fault}"),
        }
    };
    for (text, good) in [("\0", false), ("\\\0", false), ("\\u0000", true), ("\\\\u0000", true), ("\u{1}", true)] {
        let body = serde_json::json!({ "text": text }).to_string();
        assert_eq!(holds(Kind::Queue, &body), good, "{body}");
        assert!(holds(Kind::Delivery, &body), "it is only kept");
    }
}
