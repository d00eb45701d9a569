//! What the decisions do to a plan, its orders and its jobs.

use proptest::prelude::*;

use super::*;
use crate::swap::{self, Conditions, LimitPrice, Side, TimeInForce};
use crate::{JobStep, Lease, Owner, Refusal, Then, Timestamp};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn make() -> Make {
    Make {
        id: "0198".to_owned(),
        account: Owner::parse("alice").expect("a name"),
        side: Side::Buy,
        input: "USDC".into(),
        input_decimals: 6,
        output: "SOL".into(),
        output_decimals: 9,
        total: 100_000_000,
        slices: 3,
        every_seconds: 60,
        slippage_bps: 50,
        conditions: Conditions::default(),
        client_order_id: Some("mine-1".to_owned()),
        starts_at: None,
    }
}

fn done() -> JobStep {
    JobStep { lease: Lease { job: 7, token: 1 }, then: Then::Finish }
}

#[test]
fn each_turn_is_one_change_and_the_last_completes() {
    let Choice { mut plan, change } = create(make(), NOW).expect("made");
    assert_eq!(
        change.jobs.iter().map(|job| (job.queue.as_ref(), job.run_at)).collect::<Vec<_>>(),
        [(QUEUE_SLICE, NOW)]
    );
    let mut ids = std::collections::BTreeSet::new();
    let mut paid = 0;
    for (turn, type_) in [(1, "plan.sliced"), (2, "plan.sliced"), (3, "plan.completed")] {
        let now = plan.next_at;
        let order = swap::accept(plan.place(plan.after_this(now)), now).expect("accepted");
        assert_eq!(
            (order.swap.plan.as_deref(), order.change.entities[0].parent.as_deref()),
            (Some("0198"), Some("0198"))
        );
        paid += order.swap.ask.amount;
        assert!(ids.insert(order.swap.id.clone()), "an order of its own");
        let Choice { plan: after, change } = slice(&plan, order, done(), now).expect("its turn");
        let types: Vec<_> = change.entities.iter().filter_map(|write| Some(write.event.as_ref()?.type_)).collect();
        assert_eq!(types, ["swap.pending", type_]);
        let queues: Vec<_> = change.jobs.iter().map(|job| (job.queue.as_ref(), job.run_at)).collect();
        let next = (turn < 3).then_some((QUEUE_SLICE, NOW.plus_millis(60_000 * i64::from(turn))));
        assert_eq!(queues, [Some((swap::QUEUE, now)), next].into_iter().flatten().collect::<Vec<_>>());
        assert_eq!((after.turns, after.version), (turn, u64::from(turn) + 1));
        plan = after;
    }
    assert_eq!((plan.status, paid), (Status::Completed, 100_000_000));
    assert_eq!(cancel(&plan, NOW).expect_err("it is over").code, "WRONG_STATE");
    insta::assert_snapshot!("completed", plan.view_json());
}

#[test]
fn a_refused_slice_is_noted_and_the_plan_goes_on() {
    let plan = create(make(), NOW).expect("made").plan;
    let Choice { plan, change } = skip(&plan, &Refusal::new("TRADING_HALTED", "halted"), done(), NOW).expect("noted");
    assert_eq!((plan.status, plan.turns, plan.skipped, change.jobs.len()), (Status::Active, 1, 1, 1));
    assert_eq!(
        plan.refused.as_ref().map(|refused| (refused.slice, refused.code.as_str())),
        Some((1, "TRADING_HALTED"))
    );
    insta::assert_snapshot!("skipped", change.entities[0].event.as_ref().expect("an event").body);
    let plan = cancel(&plan, NOW).expect("cancelled").plan;
    let order = swap::accept(plan.place(NOW), NOW).expect("accepted");
    assert_eq!(slice(&plan, order, done(), NOW).expect_err("too late").code, "WRONG_STATE");
}

#[test]
fn a_slice_with_a_limit_stands_until_the_next_and_late_ones_are_not_bunched() {
    let price = LimitPrice::parse("0.01").expect("a price");
    let conditions = Conditions { limit_price: Some(price), ..Conditions::default() };
    let plan = create(Make { conditions, ..make() }, NOW).expect("made").plan;
    let late = NOW.plus_millis(3_600_000);
    let next = plan.after_this(late);
    assert_eq!((plan.after_this(NOW), next), (NOW.plus_millis(60_000), late.plus_millis(60_000)));
    let place = plan.place(next);
    assert_eq!((place.expires_at, place.conditions.time_in_force), (Some(next), TimeInForce::Gtd));
    assert_eq!(swap::accept(place, late).expect("accepted").swap.status, swap::Status::Open);
}

#[test]
fn bad_plans_are_refused_with_the_field() {
    let at = |change: fn(&mut Make)| {
        let mut make = make();
        change(&mut make);
        create(make, NOW).map(|_| ()).map_err(|refusal| (refusal.code, refusal.pointer.unwrap_or_default()))
    };
    assert_eq!(at(|_| ()), Ok(()));
    assert_eq!(at(|make| make.slices = 1), Err(("OUT_OF_RANGE", "/slices".into())));
    assert_eq!(at(|make| make.slices = 1_001), Err(("OUT_OF_RANGE", "/slices".into())));
    assert_eq!(at(|make| make.every_seconds = 0), Err(("OUT_OF_RANGE", "/everySeconds".into())));
    assert_eq!(at(|make| make.starts_at = Some(NOW.plus_millis(-1))), Err(("OUT_OF_RANGE", "/startsAt".into())));
    assert_eq!(at(|make| make.total = 2), Err(("AMOUNT_NOT_POSITIVE", "/total".into())));
    assert_eq!(at(|make| make.output = "USDC".into()), Err(("SAME_TOKEN", "/outputToken".into())));
    assert_eq!(at(|make| make.slippage_bps = 10_001), Err(("SLIPPAGE_OUT_OF_RANGE", "/slippageBps".into())));
}

proptest! {
    #[test]
    fn slices_add_up_to_the_total_and_differ_by_one_at_most(total in 1_000..10_u128.pow(38), slices in 2..=MOST_SLICES) {
        let plan = create(Make { total, slices, ..make() }, NOW).expect("made").plan;
        let amounts: Vec<u128> = (1..=slices).map(|slice| plan.amount_of(slice)).collect();
        prop_assert_eq!(amounts.iter().sum::<u128>(), total);
        let (least, most) = (amounts.iter().min().unwrap(), amounts.iter().max().unwrap());
        prop_assert!(most - least <= 1 && *least >= 1);
    }
}
