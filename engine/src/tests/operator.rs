//! Own queues paused and resumed, here and from elsewhere, and the jobs that were given up.

use domain::bid::{QUEUE_CLOSE, QUEUE_EXPIRE as BIDS};
use domain::{Change, JobStep, NewJob, Then};

use super::*;
use crate::operator::{Operator, Verdict, Wanted};

fn operator() -> Owner {
    owner("ops")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_hands_out_nothing_until_it_runs_again_also_over_a_restart() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 4).await;
    engine.operator.turn(QUEUE, true, &operator()).await.expect("paused");
    let taken = engine.intake.place(place(), None).await.expect("taken");
    let status = async |engine: &Engine| {
        let entity = engine.journal.entity(Kind::Swap, &taken.id).await.expect("reads").expect("is there");
        (entity.status, entity.version)
    };
    // Long enough for many looks of the worker, had it any to make.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(status(&engine).await, ("pending".to_owned(), 1));
    let standing = engine.operator.standing(QUEUE).await.expect("a standing");
    assert_eq!((standing.depth.ready, standing.switch.paused, &standing.switch.by), (1, true, &operator()));
    assert_eq!(standing.rate.finished, 0);
    engine.stop(PATIENCE).await;
    drop(engine);

    let engine = site.engine("paper?pace=instant", 4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(status(&engine).await, ("pending".to_owned(), 1));
    // Another queue is not paused with it.
    let soon = Place { expires_at: Some(clock::now().plus_millis(100)), ..place() };
    let soon = engine.intake.place(soon, None).await.expect("taken");
    assert_eq!(until_final(&engine, &soon.id).await.status, Status::Expired);
    engine.operator.turn(QUEUE, false, &operator()).await.expect("resumed");
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Confirmed);
    until("the count", async || engine.operator.rate(QUEUE).finished >= 1).await;
    let standing = engine.operator.standing(QUEUE).await.expect("a standing");
    assert_eq!((standing.switch.paused, standing.switch.version), (false, 2));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_switched_counts_here_within_moments() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 4).await;
    // As another process would: it knows the journal, and nothing of this engine.
    let elsewhere = Operator::new(&engine.journal);
    elsewhere.turn(QUEUE, true, &operator()).await.expect("paused");
    until("the news", async || engine.paused.is_paused(QUEUE)).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let entity = engine.journal.entity(Kind::Swap, &taken.id).await.expect("reads").expect("is there");
    assert_eq!(entity.status, "pending");
    elsewhere.turn(QUEUE, false, &operator()).await.expect("resumed");
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Confirmed);
    // Both at once: one row, and each turn is one version of it.
    let by = operator();
    let (one, two) = tokio::join!(engine.operator.turn(QUEUE, true, &by), elsewhere.turn(QUEUE, true, &by));
    assert!(one.is_ok() && two.is_ok());
    let switch = elsewhere.standing(QUEUE).await.expect("a standing").switch;
    assert_eq!((switch.paused, switch.version), (true, 3));
    engine.stop(PATIENCE).await;
}

/// Puts jobs into a queue and gives each up at once, for the reasons given.
async fn bury(journal: &dyn Journal, queue: &'static str, reasons: &[String]) {
    let now = clock::now();
    let job = |body: &String| NewJob {
        queue: queue.into(),
        group: None,
        lane: None,
        run_at: now,
        body: body.clone(),
        dedup: None,
    };
    let jobs = reasons.iter().map(job).collect();
    journal.apply(Change { at: now, jobs, ..Change::default() }).await.expect("applied");
    let claim = Claim { queue, limit: reasons.len(), per_lane: usize::MAX, narrow: Vec::new(), now };
    let claimed = journal.claim(claim).await.expect("claimed");
    assert_eq!(claimed.len(), reasons.len());
    let mut died = 0;
    for claimed in claimed {
        died += 1;
        let then = Then::Bury { why: claimed.job.body.clone(), park: false };
        let step = Some(JobStep { lease: claimed.lease, then });
        journal.apply(Change { at: now.plus_millis(died), step, ..Change::default() }).await.expect("buried");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_found_grouped_retried_and_discarded() {
    let site = Site::new();
    let journal = site.journal().await;
    let desk = Operator::new(&journal);
    let swaps: Vec<String> = (0..7).map(|n| format!("NO_ROUTE: swap {n} has none")).collect();
    bury(journal.as_ref(), QUEUE, &swaps).await;
    let bids: Vec<String> = (0..5).map(|n| format!("bid {n} is broken")).chain(["Another reason".to_owned()]).collect();
    bury(journal.as_ref(), BIDS, &bids).await;
    let all = Wanted::default();

    // Page by page over all queues, each once.
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let found = desk.dead(&all, after, 4).await.expect("a page");
        seen.extend(found.jobs.iter().map(|dead| dead.why.clone()));
        after = found.next;
        if after.is_none() {
            break;
        }
        assert_eq!(found.jobs.len(), 4);
    }
    assert_eq!(seen, [bids.clone(), swaps.clone()].concat());

    let groups = desk.errors(&all, None).await.expect("groups");
    let shown: Vec<_> = groups.groups.iter().map(|g| (&*g.queue, &*g.error, g.count)).collect();
    let expected = [(QUEUE, "NO_ROUTE: swap * has none", 7), (BIDS, "bid * is broken", 5), (BIDS, "Another reason", 1)];
    assert_eq!((shown, groups.looked, groups.next), (expected.to_vec(), 13, None));
    let newest = desk.dead_job(groups.groups[0].example).await.expect("reads").expect("is there");
    assert_eq!((&*newest.why, newest.died_at), ("NO_ROUTE: swap 6 has none", groups.groups[0].newest));

    // One.
    assert!(desk.judge(newest.job.id, Verdict::Retry).await.expect("retried"));
    assert!(!desk.judge(newest.job.id, Verdict::Retry).await.expect("no longer dead"));
    assert_eq!(desk.dead_job(newest.job.id).await.expect("reads"), None);
    assert_eq!(journal.depth(QUEUE, clock::now()).await.expect("a depth").ready, 1);
    // A group, in two parts.
    let group = Wanted { group: Some("bid * is broken".to_owned()), ..Wanted::default() };
    let first = desk.judge_all(&group, None, 3, Verdict::Discard).await.expect("discarded");
    assert!(first.done == 3 && first.next.is_some());
    let rest = desk.judge_all(&group, first.next, 3, Verdict::Discard).await.expect("discarded");
    assert_eq!((rest.done, rest.next), (2, None));
    // By a text, in a queue that does not have it, and in the one that does.
    let text = |queue| Wanted { queue: Some(queue), error: Some("no_route".to_owned()), group: None };
    assert_eq!(desk.judge_all(&text(QUEUE_CLOSE), None, 100, Verdict::Retry).await.expect("none").done, 0);
    assert_eq!(desk.judge_all(&text(QUEUE), None, 100, Verdict::Retry).await.expect("all").done, 6);
    let left = desk.dead(&all, None, 100).await.expect("a page");
    assert_eq!(left.jobs.iter().map(|dead| &*dead.why).collect::<Vec<_>>(), ["Another reason"]);
    assert_eq!(journal.depth(QUEUE, clock::now()).await.expect("a depth").ready, 7);
    journal.close().await;
}
