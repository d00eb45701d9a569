//! Dead letters brought back.

use domain::queue::{Move, MoveStatus};
use drivers::journal::Receive;

use super::*;

const LETTERS: usize = 230;

/// A source whose dead letters lie in `dead`, so many of them.
async fn letters(nodes: &Nodes<'_>, letters: usize) {
    nodes.make("dead", &[]).await;
    nodes.make("q", &[("RedrivePolicy", &nodes.redrive("dead", 1))]).await;
    let bodies: Vec<Outgoing> = (0..letters).map(|n| text(&n.to_string())).collect();
    for batch in bodies.chunks(10) {
        nodes.one.queues.send(&nodes.account, "q", batch.to_vec()).await.expect("sent");
    }
    // A receive that meets many of them answers with none before it has met all.
    until("they are dead letters", async || {
        nodes.receive("q", ten(0, 0)).await.is_empty() && visible(nodes, "dead").await == letters as u64
    })
    .await;
}

async fn start(nodes: &Nodes<'_>, per_second: Option<i64>) -> Result<String, QueueError> {
    nodes.one.queues.start_move(&nodes.account, &arn::of(&nodes.account, "dead"), None, per_second).await
}

async fn newest(nodes: &Nodes<'_>) -> Move {
    let moves = nodes.other.queues.moves(&nodes.account, &arn::of(&nodes.account, "dead"), 1).await;
    moves.expect("moves").remove(0)
}

async fn visible(nodes: &Nodes<'_>, name: &str) -> u64 {
    let queue = nodes.one.queues.find(&nodes.account, name).await.expect("is there");
    nodes.one.queues.counts(&queue).await.expect("counts").visible
}

async fn ended(nodes: &Nodes<'_>) -> Move {
    until("the move ends", async || newest(nodes).await.status != MoveStatus::Running).await;
    newest(nodes).await
}

pub(super) async fn dead_letters_are_moved_back_as_new_messages(nodes: &Nodes<'_>) {
    letters(nodes, LETTERS).await;
    start(nodes, None).await.expect("started");
    let done = ended(nodes).await;
    assert_eq!(
        (done.status, done.body.moved, done.body.total),
        (MoveStatus::Completed, LETTERS as u64, LETTERS as u64)
    );
    assert_eq!((visible(nodes, "dead").await, visible(nodes, "q").await), (0, LETTERS as u64));
    let back = nodes.receive("q", ten(3_600, 5)).await;
    assert!(back.iter().all(|one| one.receive_count == 1 && one.message.message_id.is_none()));
    assert!(back.iter().all(|one| one.message.dead_letter_source.is_none()));
    start(nodes, None).await.expect("a second one may start when the first has ended");
    assert_eq!(ended(nodes).await.body.moved, 0);
}

pub(super) async fn a_move_that_cannot_go_on_says_why(nodes: &Nodes<'_>) {
    nodes.make("lonely", &[]).await;
    letters(nodes, 3).await;
    let (account, one) = (&nodes.account, &nodes.one.queues);
    let start_from =
        async |source: &str, to: Option<&str>, rate| refused(one.start_move(account, source, to, rate).await);
    let (dead, nowhere) = (arn::of(account, "dead"), arn::of(account, "nowhere"));
    assert!(matches!(start_from(&nowhere, None, None).await, Refusal::ResourceNotFoundException(_)));
    assert!(matches!(start_from(&dead, Some(&nowhere), None).await, Refusal::ResourceNotFoundException(_)));
    assert!(matches!(start_from("dead", None, None).await, Refusal::InvalidParameterValue(_)));
    assert!(matches!(start_from(&arn::of(account, "lonely"), None, None).await, Refusal::InvalidParameterValue(_)));
    for rate in [0, 501] {
        assert!(matches!(start_from(&dead, None, Some(rate)).await, Refusal::InvalidParameterValue(_)));
    }
    nodes.send("dead", text("sent to it straight")).await;
    start(nodes, None).await.expect("started");
    let failed = ended(nodes).await;
    assert_eq!(
        (failed.status, failed.body.failure.as_deref()),
        (MoveStatus::Failed, Some("CouldNotDetermineMessageSource"))
    );
    assert_eq!(visible(nodes, "dead").await, 4, "they show themselves again");
    one.start_move(account, &dead, Some(&arn::of(account, "lonely")), None).await.expect("started");
    assert_eq!(ended(nodes).await.body.moved, 4);
    assert_eq!(visible(nodes, "lonely").await, 4);
}

pub(super) async fn a_move_is_cancelled(nodes: &Nodes<'_>) {
    letters(nodes, 40).await;
    let handle = start(nodes, Some(1)).await.expect("started");
    assert!(matches!(refused(start(nodes, None).await), Refusal::UnsupportedOperation(_)), "one at a time");
    until("it has moved one", async || newest(nodes).await.body.moved > 0).await;
    let stranger = nodes.other.queues.cancel_move(&owner("stranger"), &handle).await;
    assert!(matches!(refused(stranger), Refusal::ResourceNotFoundException(_)));
    let moved = nodes.other.queues.cancel_move(&nodes.account, &handle).await.expect("cancelled");
    let cancelled = newest(nodes).await;
    assert_eq!((cancelled.status, cancelled.body.moved), (MoveStatus::Cancelled, moved));
    assert!(matches!(
        refused(nodes.one.queues.cancel_move(&nodes.account, &handle).await),
        Refusal::UnsupportedOperation(_)
    ));
    assert!(matches!(
        refused(nodes.one.queues.cancel_move(&nodes.account, "x").await),
        Refusal::ResourceNotFoundException(_)
    ));
    until("what it had in hand shows itself again", async || {
        visible(nodes, "dead").await + visible(nodes, "q").await == 40 && visible(nodes, "q").await == moved
    })
    .await;
    start(nodes, None).await.expect("another one may start");
    assert_eq!(ended(nodes).await.status, MoveStatus::Completed);
}

/// A process dies between a page's hand-out and its commit: the next one is handed the same messages, and waits for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_goes_on_where_a_process_left_it() {
    let site = Site::new();
    let rests = on_sqlite(&site, settings(0, NO_REST)).await;
    let nodes = Nodes { one: &rests, other: &rests, account: owner("kill") };
    letters(&nodes, 30).await;
    start(&nodes, None).await.expect("started");
    let (one, dead) = (newest(&nodes).await, rests.queues.find(&nodes.account, "dead").await.expect("is there"));
    let page = Receive {
        queue: dead.generation().to_owned(),
        limit: 20,
        hide_micros: 3_600_000_000,
        call: Some(format!("move:{}:0", one.id)),
        one_each: false,
        now: clock::now(),
    };
    assert_eq!(rests.journal.receive(page).await.expect("received").len(), 20);
    rests.stop(PATIENCE).await;
    let works = on_sqlite(&site, settings(4, NO_REST)).await;
    let nodes = Nodes { one: &works, other: &works, account: owner("kill") };
    let done = ended(&nodes).await;
    assert_eq!((done.status, done.body.moved, visible(&nodes, "q").await), (MoveStatus::Completed, 30, 30));
    works.stop(PATIENCE).await;
}
