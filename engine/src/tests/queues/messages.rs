//! Messages sent, received, settled.

use super::*;

pub(super) async fn a_batch_is_taken_but_for_what_is_refused(nodes: &Nodes<'_>) {
    nodes.make("q.fifo", &[]).await;
    let batch = vec![ordered("g", "a"), text("without a group"), ordered("g", "b"), ordered("g", "a")];
    let sent = nodes.one.queues.send(&nodes.account, "q.fifo", batch).await.expect("sent");
    let [Ok(a), Err(missing), Ok(b), Ok(again)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(*missing, QueueError::Refused(Refusal::MissingParameter("MessageGroupId".to_owned())));
    assert!(a == again && a.sequence < b.sequence && a.sequence.as_ref().is_some_and(|digits| digits.len() == 20));
    let received = nodes.receive("q.fifo", ten(30, 5)).await;
    let found: Vec<_> = received.iter().map(|one| (&one.message_id, &one.sequence, one.receive_count)).collect();
    assert_eq!(found, [(&a.message_id, &a.sequence, 1), (&b.message_id, &b.sequence, 1)]);
    let half = text(&"x".repeat(600_000));
    let long = nodes.one.queues.send(&nodes.account, "q.fifo", vec![half.clone(), half]).await;
    assert_eq!(refused(long), Refusal::BatchRequestTooLong(1_200_000));
}

pub(super) async fn a_group_is_received_in_order_by_one_at_a_time(nodes: &Nodes<'_>) {
    nodes.make("q.fifo", &[("VisibilityTimeout", "1")]).await;
    for (group, body) in [("g", "g1"), ("h", "h1"), ("g", "g2"), ("g", "g3")] {
        nodes.send("q.fifo", ordered(group, body)).await;
    }
    let received = nodes.receive("q.fifo", Wish { max: 2, ..ten(3_600, 5) }).await;
    let texts = |received: &[Incoming]| received.iter().map(|one| one.message.body.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&received), ["g1", "g2"], "as many as possible of one group");
    assert_eq!(nodes.texts("q.fifo").await, ["h1"], "the rest of the group waits");
    assert_eq!(nodes.delete("q.fifo", &received[1].handle).await, Ok(()));
    assert_eq!(nodes.receive("q.fifo", ten(30, 0)).await, [], "for its oldest");
    assert_eq!(nodes.delete("q.fifo", &received[0].handle).await, Ok(()));
    let last = nodes.receive("q.fifo", Wish { max: 10, wait: Some(5), ..Wish::default() }).await;
    assert_eq!(texts(&last), ["g3"]);
    let again = nodes.receive("q.fifo", ten(0, 20)).await;
    assert_eq!((texts(&again), again[0].receive_count), (vec!["g3".to_owned()], 2), "after the queue's own timeout");
    assert_eq!(again[0].first_received_at, last[0].first_received_at);
    // It was hidden for no time at all.
    let late = refused(nodes.delete("q.fifo", &again[0].handle).await);
    assert_eq!(late, Refusal::expired(&again[0].handle));
}

pub(super) async fn handles_are_good_for_one_hand_out(nodes: &Nodes<'_>) {
    let (account, other) = (&nodes.account, &nodes.other.queues);
    nodes.make("q", &[]).await;
    nodes.make("r", &[]).await;
    nodes.send("q", text("x")).await;
    let first = nodes.receive("q", ten(0, 5)).await.remove(0).handle;
    let second = nodes.receive("q", ten(3_600, 5)).await.remove(0).handle;
    assert_ne!(first, second);
    for (queue, handle) in [("r", second.clone()), ("q", format!("{second}A")), ("q", "x".to_owned())] {
        assert_eq!(refused(nodes.delete(queue, &handle).await), Refusal::ReceiptHandleIsInvalid(handle));
    }
    assert_eq!(nodes.delete("q", &first).await, Ok(()), "succeeds, and deletes nothing");
    let change = async |handle: &str, seconds| {
        let answers = other.change_visibility(account, "q", &[(handle.to_owned(), seconds)]).await;
        answers.expect("answered").pop().expect("an answer")
    };
    assert_eq!(refused(change(&first, 5).await), Refusal::not_available(&first));
    assert!(matches!(refused(change(&second, 43_201).await), Refusal::InvalidParameterValue(_)));
    assert_eq!(change(&second, 0).await, Ok(()));
    assert_eq!(refused(change(&second, 5).await), Refusal::MessageNotInflight);
    assert_eq!(nodes.receive("q", ten(0, 5)).await.len(), 1);
    let third = nodes.receive("q", ten(0, 5)).await.remove(0);
    assert_eq!(third.receive_count, 4);
    assert_eq!(nodes.delete("q", &third.handle).await, Ok(()), "without an order a late one counts");
    assert_eq!(nodes.delete("q", &third.handle).await, Ok(()), "and a second time it is gone");
    assert_eq!(nodes.receive("q", ten(30, 0)).await, []);
}

pub(super) async fn a_call_with_a_name_is_answered_again(nodes: &Nodes<'_>) {
    nodes.make("q.fifo", &[]).await;
    for body in ["a", "b"] {
        nodes.send("q.fifo", ordered("g", body)).await;
    }
    let call = |name: &str| Wish { attempt_id: Some(name.to_owned()), ..ten(3_600, 0) };
    let first = nodes.receive("q.fifo", call("one")).await;
    assert_eq!((first.len(), &nodes.receive("q.fifo", call("one")).await), (2, &first));
    assert_eq!(nodes.receive("q.fifo", call("two")).await, []);
    assert_eq!(nodes.delete("q.fifo", &first[0].handle).await, Ok(()));
    let again = nodes.other.queues.receive(&nodes.account, "q.fifo", call("one")).await;
    assert!(refused(again).to_string().contains("not retryable"));
    let bad = nodes.other.queues.receive(&nodes.account, "q.fifo", call("a b")).await;
    assert!(matches!(refused(bad), Refusal::InvalidParameterValue(_)));
}

pub(super) async fn who_waits_is_woken(nodes: &Nodes<'_>) {
    nodes.make("q", &[]).await;
    let receivers = (0..3).map(|_| nodes.receive("q", Wish { max: 1, ..ten(3_600, 20) }));
    let sending = async {
        for body in ["a", "b", "c"] {
            nodes.send("q", text(body)).await;
        }
    };
    let (received, ()) = tokio::join!(futures_util::future::join_all(receivers), sending);
    let mut bodies: Vec<_> = received.into_iter().flatten().map(|one| one.message.body).collect();
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c"], "each of three receivers got one");
    for bad in [Wish { max: 11, ..ten(1, 0) }, Wish { max: 0, ..ten(1, 0) }, ten(43_201, 0), ten(-1, 0), ten(1, 21)] {
        let received = nodes.other.queues.receive(&nodes.account, "q", bad).await;
        assert!(matches!(refused(received), Refusal::InvalidParameterValue(_)));
    }
}

pub(super) async fn what_is_received_too_often_becomes_a_dead_letter(nodes: &Nodes<'_>) {
    for ending in ["", ".fifo"] {
        let (source, dead) = (&format!("q{ending}"), &format!("dead{ending}"));
        nodes.make(dead, &[]).await;
        nodes.make(source, &[("RedrivePolicy", &nodes.redrive(dead, 2))]).await;
        let message = |body| if ending.is_empty() { text(body) } else { ordered("g", body) };
        let id = nodes.send(source, message("poison")).await;
        let next = nodes.send(source, message("next")).await;
        for count in 1..=2 {
            let received = nodes.receive(source, Wish { max: 1, ..ten(0, 5) }).await;
            assert_eq!((&received[0].message_id, received[0].receive_count), (&id, count));
            if ending.is_empty() {
                // The other one goes to the end again, too.
                assert_eq!(nodes.receive(source, Wish { max: 1, ..ten(0, 5) }).await[0].message_id, next);
            }
        }
        // The third time it is moved, and nobody gets it; without an order that goes for both.
        let left = nodes.receive(source, ten(3_600, 0)).await;
        let letters = nodes.receive(dead, ten(3_600, 5)).await;
        let known = letters[0].message.dedup.clone();
        assert_eq!((&letters[0].message_id, letters[0].receive_count), (&id, 1));
        assert_eq!(letters[0].message.dead_letter_source, Some(arn::of(&nodes.account, source)));
        match ending {
            "" => assert_eq!((left.len(), letters.len(), known), (0, 2, None)),
            _ => assert_eq!((&left[0].message_id, letters.len(), known), (&next, 1, Some(id))),
        }
    }
}
