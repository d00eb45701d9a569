//! Orders with a limit price: how they begin, rest, and what binds their venue.

use super::*;

fn limited(side: Side, mode: Mode, price: &str, time_in_force: TimeInForce) -> Place {
    let limit_price = Some(LimitPrice::parse(price).expect("a price"));
    let conditions = Conditions { limit_price, time_in_force, ..Conditions::default() };
    Place { side, conditions, ..place(mode, 10_000_000_000) }
}

#[test]
fn an_order_that_rests_has_no_work_until_it_is_woken() {
    for (time_in_force, status, queues) in [
        (TimeInForce::Gtc, Status::Open, &[QUEUE_EXPIRE][..]),
        (TimeInForce::Gtd, Status::Open, &[QUEUE_EXPIRE]),
        (TimeInForce::Ioc, Status::Pending, &[QUEUE, QUEUE_EXPIRE]),
        (TimeInForce::Fok, Status::Pending, &[QUEUE, QUEUE_EXPIRE]),
    ] {
        let Choice { swap, change } =
            accept(limited(Side::Sell, Mode::ExactIn, "152.5", time_in_force), NOW).expect("accepted");
        assert_eq!((swap.status, swap.rests()), (status, status == Status::Open), "{time_in_force:?}");
        assert_eq!(change.jobs.iter().map(|job| job.queue.as_ref()).collect::<Vec<_>>(), queues);
    }
    let swap = accept(limited(Side::Sell, Mode::ExactIn, "152.5", TimeInForce::Gtc), NOW).expect("accepted").swap;
    let woken = wake(&swap.id, swap.version, NOW);
    assert_eq!((woken.given[0].version, woken.jobs[0].group.as_deref()), (1, Some("swap:0198")));
    insta::assert_snapshot!("open", swap.view_json());
}

#[test]
fn it_rests_again_with_the_reason_and_is_built_as_another() {
    let swap = accept(limited(Side::Sell, Mode::ExactIn, "150", TimeInForce::Gtc), NOW).expect("accepted").swap;
    let swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let quote = quote("Raydium", Mode::ExactIn, 10_000_000_000, 1_500_000_001);
    let route = Route { limit: bound_to(&swap, &quote), quote, quoted_at: NOW };
    let verdict = Verdict { index: 0, reason: "the only one".to_owned() };
    let swap = routed(&swap, route, (&[], &verdict), step(Then::Hold), NOW).expect("routes").swap;
    let bytes =
        Prepared { venue: "Raydium".into(), bytes: "AAAA".into(), id: "5sig".into(), expires_at_height: 99, build: 1 };
    let swap = prepared(&swap, bytes, step(Then::Hold), NOW).expect("submits").swap;
    let why = Failure { code: "SLIPPAGE_EXCEEDED".into(), message: "too little".into() };
    let Choice { swap, change } = rest(&swap, why, step(Then::Finish), NOW).expect("rests");
    assert_eq!(
        (swap.status, swap.route.is_none(), swap.prepared.as_ref().map(|p| p.build)),
        (Status::Open, true, Some(1))
    );
    insta::assert_snapshot!("rested", change.entities[0].event.as_ref().expect("an event").body);
    for ended in [cancel(&swap, NOW), expire(&swap, step(Then::Finish), NOW)] {
        assert!(ended.expect("ends").swap.status.is_final());
    }
    let market = accept(place(Mode::ExactIn, 10), NOW).expect("accepted").swap;
    let market = begin(&market, 1, step(Then::Hold), NOW).expect("begins").swap;
    let why = Failure { code: "NO_ROUTE".into(), message: "none".into() };
    assert_eq!(rest(&market, why, step(Then::Finish), NOW).expect_err("it does not rest").code, "WRONG_STATE");
}

#[test]
fn what_is_to_be_had_at_once_ends_with_a_reason() {
    let swap = accept(limited(Side::Sell, Mode::ExactIn, "150", TimeInForce::Fok), NOW).expect("accepted").swap;
    let swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let swap = unfilled(&swap, "no venue gives that much", step(Then::Finish), NOW).expect("ends").swap;
    assert_eq!((swap.status, swap.failure.expect("a reason").code.as_str()), (Status::Expired, "NOT_FILLED"));
}

#[test]
fn the_tighter_of_slippage_and_price_binds_the_venue() {
    use Mode::{ExactIn, ExactOut};
    let amount = 10_000_000_000;
    for (side, mode, price, (amount_in, amount_out), meets_it, bound) in [
        // The price lies below what slippage allows: slippage binds.
        (Side::Sell, ExactIn, "100", (amount, 1_500_000_000), true, 1_492_500_000),
        // The price is the tighter.
        (Side::Sell, ExactIn, "150", (amount, 1_500_000_000), true, 1_500_000_000),
        (Side::Sell, ExactIn, "150.1", (amount, 1_500_000_000), false, 1_501_000_000),
        (Side::Buy, ExactOut, "0.0066", (66_000_000_000, amount), true, 66_000_000_000),
        (Side::Buy, ExactOut, "0.01", (66_000_000_000, amount), true, 66_330_000_000),
        (Side::Buy, ExactOut, "0.0065", (66_000_000_000, amount), false, 65_000_000_000),
    ] {
        let swap = accept(limited(side, mode, price, TimeInForce::Gtc), NOW).expect("accepted").swap;
        let quote = quote("x", mode, amount_in, amount_out);
        assert_eq!((meets(&swap, &quote), bound_to(&swap, &quote)), (meets_it, bound), "{side:?} {price}");
        assert_eq!(swap.inquiry().limit, swap.limit_of(&swap.ask));
    }
}

#[test]
fn a_part_has_its_part_of_the_limit() {
    let swap = accept(limited(Side::Sell, Mode::ExactIn, "150", TimeInForce::Ioc), NOW).expect("accepted").swap;
    let whole = swap.inquiry();
    let half = swap.inquiry_of(whole.ask.amount / 2);
    assert_eq!((whole.limit, half.limit), (Some(1_500_000_000), Some(750_000_000)));
}

#[test]
fn bad_limits_are_refused_with_the_field() {
    let at = |change: fn(&mut Place)| {
        let mut place = limited(Side::Sell, Mode::ExactIn, "150", TimeInForce::Gtd);
        change(&mut place);
        accept(place, NOW).map(|_| ()).map_err(|refusal| (refusal.code, refusal.pointer.unwrap_or_default()))
    };
    assert_eq!(at(|_| ()), Ok(()));
    assert_eq!(at(|place| place.expires_at = None), Err(("EXPIRE_TIME_REQUIRED", "/expiresAt".into())));
    assert_eq!(
        at(|place| place.conditions.limit_price =
            LimitPrice::parse("99999999999999999999").ok().inspect(|_| place.ask.amount = 10_u128.pow(37))),
        Err(("LIMIT_PRICE_OUT_OF_RANGE", "/limitPrice".into()))
    );
}
