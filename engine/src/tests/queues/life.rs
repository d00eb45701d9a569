//! Queues themselves.

use super::*;

pub(super) async fn queues_are_made_found_listed_changed_and_deleted(nodes: &Nodes<'_>) {
    let (account, [one, other]) = (&nodes.account, nodes.queues());
    for name in ["b1", "a", "b2", "b3.fifo"] {
        nodes.make(name, &[("VisibilityTimeout", "9")]).await;
        let found = other.find(account, name).await.expect("is there");
        assert_eq!((found.name(), found.settings().visibility), (name, 9));
    }
    assert_eq!(refused(other.find(&owner("stranger"), "a").await), Refusal::QueueDoesNotExist);
    let again =
        other.create(account, "a", wanted(&[("VisibilityTimeout", "9")]), BTreeMap::new()).await.expect("found");
    assert_eq!(again.version, 1);
    let differing = other.create(account, "a", wanted(&[("VisibilityTimeout", "8")]), BTreeMap::new()).await;
    assert_eq!(refused(differing), Refusal::QueueNameExists("VisibilityTimeout".to_owned()));

    let names =
        |page: &[Arc<crate::queues::QueueInfo>]| page.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>();
    let (page, next) = one.list(account, Some("b"), None, 2).await.expect("a page");
    assert_eq!(names(&page), ["b1", "b2"]);
    let (page, end) = other.list(account, Some("b"), next.as_deref(), 2).await.expect("a page");
    assert_eq!((names(&page), end), (vec!["b3.fifo".to_owned()], None));
    assert!(matches!(refused(one.list(account, None, Some("x"), 2).await), Refusal::InvalidParameterValue(_)));

    one.set(account, "b1", wanted(&[("RedrivePolicy", &nodes.redrive("a", 3))])).await.expect("set");
    let (sources, _) = other.sources_of(account, "a", None, 10).await.expect("sources");
    assert_eq!(names(&sources), ["b1"]);
    let missing = one.set(account, "b1", wanted(&[("RedrivePolicy", &nodes.redrive("nowhere", 3))])).await;
    assert!(matches!(refused(missing), Refusal::InvalidParameterValue(_)));
    let tags = |value: &str| BTreeMap::from([("k".to_owned(), value.to_owned())]);
    one.tag(account, "a", tags("v")).await.expect("tagged");
    assert_eq!(other.tag(account, "a", tags("w")).await.expect("tagged").body.tags, tags("w"));
    assert_eq!(one.untag(account, "a", &["k".to_owned()]).await.expect("untagged").body.tags.len(), 0);
    let (named, _) = other.named("a", None, 10).await.expect("named");
    assert!(named.iter().any(|queue| queue.account == *account));

    nodes.send("a", text("left behind")).await;
    one.delete(account, "a").await.expect("deleted");
    assert_eq!(refused(one.find(account, "a").await), Refusal::QueueDoesNotExist);
    assert_eq!(refused(one.send(account, "a", vec![text("x")]).await), Refusal::QueueDoesNotExist);
    assert_eq!(refused(other.send(account, "a", vec![text("x")]).await), Refusal::QueueDoesNotExist);
    until("it is gone for the other", async || other.find(account, "a").await.is_err()).await;
    nodes.make("a", &[]).await;
    assert_eq!(other.counts(&other.find(account, "a").await.expect("is back")).await.expect("counts").visible, 0);
}

pub(super) async fn a_purged_queue_is_empty_at_once_and_forgets_duplicates(nodes: &Nodes<'_>) {
    let (account, [one, other]) = (&nodes.account, nodes.queues());
    nodes.make("q.fifo", &[]).await;
    let first = nodes.send("q.fifo", ordered("g", "x")).await;
    assert_eq!(nodes.send("q.fifo", ordered("h", "x")).await, first, "a duplicate");
    nodes.send("q.fifo", ordered("h", "y")).await;
    let received = nodes.receive("q.fifo", Wish { max: 1, ..ten(3_600, 0) }).await;
    let before = one.find(account, "q.fifo").await.expect("is there");
    let purged = one.purge(account, "q.fifo").await.expect("purged");
    assert_eq!(one.receive(account, "q.fifo", ten(30, 0)).await, Ok(Vec::new()));
    assert_ne!(nodes.send("q.fifo", ordered("g", "x")).await, first, "forgotten");
    until("the other hears of it, within a second", async || {
        other.find(account, "q.fifo").await.expect("is there").generation() == purged.generation()
    })
    .await;
    assert_eq!(nodes.texts("q.fifo").await, ["x"]);
    assert_eq!(nodes.delete("q.fifo", &received[0].handle).await, Ok(()), "of what is gone");
    until("the former messages are cleared away", async || {
        let left = nodes.one.journal.jobs(before.generation(), 0, 10).await.expect("jobs");
        let row = nodes.one.journal.entity(Kind::Queue, &purged.id).await.expect("reads").expect("is there");
        left.is_empty() && domain::queue::Queue::from_entity(&row).expect("a queue").body.old.is_empty()
    })
    .await;
    other.purge(account, "q.fifo").await.expect("purged by the other, who knew the first generation");
    until("it is empty for both", async || {
        one.counts(&one.find(account, "q.fifo").await.expect("is there")).await.expect("counts").hidden == 0
    })
    .await;
}

pub(super) async fn a_paused_queue_hands_out_nothing(nodes: &Nodes<'_>) {
    let account = &nodes.account;
    nodes.make("q", &[]).await;
    nodes.other.queues.pause(account, "q", true).await.expect("paused");
    nodes.send("q", text("x")).await;
    assert_eq!(nodes.receive("q", ten(30, 1)).await, []);
    let (waiting, going_on) = tokio::join!(nodes.receive("q", ten(30, 20)), async {
        nodes.one.queues.pause(account, "q", false).await.expect("goes on")
    });
    assert_eq!((waiting.len(), going_on.body.paused), (1, false));
}
