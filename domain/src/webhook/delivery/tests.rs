//! What follows from attempts.

use super::*;
use crate::Then;
use crate::webhook::Schedule;

const SECOND: i64 = 1_000_000;

fn delivery() -> Delivery {
    let account = Owner::default();
    let about = About {
        seq: 7,
        type_: "swap.confirmed".into(),
        kind: "swap".into(),
        id: "s".into(),
        owner: account.clone(),
        party: None,
    };
    Delivery::new("d".into(), &To { endpoint: "e", account: &account, ordered: true }, about, None, Timestamp(0))
}

fn answered(status: u16) -> Outcome {
    Outcome { at: Timestamp(0), millis: 1_000, answer: Ok(Answer { status, ..Answer::default() }) }
}

#[test]
fn ten_failures_are_the_end_and_the_payload_is_kept_from_the_first() {
    let mut now = delivery();
    for tries in 1..=10 {
        let Settled { delivery, then, gone } = settle(&now, &answered(500), "payload", &Schedule::default(), 3);
        assert_eq!(
            (delivery.tries, delivery.version, delivery.payload.as_deref()),
            (tries, u64::from(tries) + 1, Some("payload"))
        );
        assert!(!gone);
        match then {
            Then::Retry { run_at, .. } => {
                assert_eq!((tries < 10, delivery.status, delivery.next_at), (true, Status::Pending, Some(run_at)));
                assert!(run_at > Timestamp(SECOND));
            }
            Then::Finish => assert_eq!(
                (tries, delivery.status, delivery.reason.as_deref()),
                (10, Status::Failed, Some("ATTEMPTS_EXHAUSTED"))
            ),
            other => panic!("{other:?}"),
        }
        now = delivery;
    }
    let again = now.again(None, Timestamp(9));
    assert_eq!((again.status, again.tries, again.attempts.len(), again.reason), (Status::Pending, 0, 10, None));
}

#[test]
fn answers_decide() {
    for (status, expected, gone) in [
        (200, Status::Delivered, false),
        (204, Status::Delivered, false),
        (299, Status::Delivered, false),
        (199, Status::Pending, false),
        (302, Status::Pending, false),
        (404, Status::Pending, false),
        (410, Status::Failed, true),
        (429, Status::Pending, false),
    ] {
        let settled = settle(&delivery(), &answered(status), "p", &Schedule::default(), 3);
        assert_eq!((settled.delivery.status, settled.gone), (expected, gone), "{status}");
        let taken = expected == Status::Delivered;
        assert_eq!(settled.delivery.payload.is_none(), taken, "{status}");
    }
}

#[test]
fn gone_counts_as_any_failure_where_the_endpoint_is_elsewhere_by_now() {
    let settled = settle_moved(&delivery(), &answered(410), "p", &Schedule::default(), 3);
    assert_eq!((settled.delivery.status, settled.delivery.tries, settled.gone), (Status::Pending, 1, false));
    assert!(matches!(settled.then, Then::Retry { run_at, .. } if Some(run_at) == settled.delivery.next_at));
    let settled = settle(&delivery(), &answered(410), "p", &Schedule::default(), 3);
    assert_eq!((settled.delivery.next_at, settled.delivery.reason.as_deref()), (None, Some("GONE")));
    assert_eq!((settled.then, settled.gone), (Then::Finish, true));
}

#[test]
fn a_receiver_may_ask_for_more_time_within_bounds() {
    for (asked, least, most) in [(0, 4, 6), (8, 8, 8), (3_600, 10, 10)] {
        let answer = Answer { status: 429, retry_after: Some(asked * SECOND), ..Answer::default() };
        let outcome = Outcome { at: Timestamp(0), millis: 0, answer: Ok(answer) };
        let at = settle(&delivery(), &outcome, "p", &Schedule::default(), 3).delivery.next_at.unwrap().0;
        assert!((least * SECOND..=most * SECOND).contains(&at), "{asked}: {at}");
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut now = delivery();
    let schedule = Schedule::of(&[SECOND; 40]);
    for _ in 0..40 {
        let answer = Answer { status: 500, body: vec![0xff; 10_000], retry_after: None };
        now = settle(&now, &Outcome { at: Timestamp(0), millis: 0, answer: Ok(answer) }, "p", &schedule, 3).delivery;
    }
    assert_eq!(now.attempts.len(), ATTEMPTS_KEPT);
    assert_eq!(now.attempts[0].answer.as_ref().unwrap().chars().count(), ANSWER_KEPT);
}

#[test]
fn a_job_says_which_delivery_and_for_which_round() {
    let new = delivery();
    let job = new.job(true, Timestamp(0));
    assert_eq!((job.group.as_deref(), job.lane.as_deref()), (Some("e:swap:s"), Some("e")));
    let first = Task::read(&job.body).unwrap();
    assert_eq!((first.delivery.as_str(), first.round, first.is_for(&new)), ("d", Round::First(7), true));
    let again = new.again(None, Timestamp(0));
    let job = again.job(false, Timestamp(0));
    let other = Task::read(&job.body).unwrap();
    assert_eq!((job.group.is_none(), other.round, other.is_for(&again)), (true, Round::Other(1), true));
    assert!(!first.is_for(&again) && !other.is_for(&again.given_up("X", Timestamp(1))));
    for bad in ["", "d", "d x", "d r", "d 1 2"] {
        assert_eq!(Task::read(bad), None, "{bad}");
    }
}
