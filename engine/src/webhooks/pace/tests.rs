//! Paces: room for the well, little for the failing, times for the limited.

use domain::Owner;
use domain::webhook::endpoint::{Format, Status};

use super::*;

fn endpoint(id: &str, concurrency: u32, rate_per_second: Option<u32>) -> Endpoint {
    Endpoint {
        id: id.to_owned(),
        version: 1,
        account: Owner::default(),
        status: Status::Active,
        url: String::new(),
        patterns: Vec::new(),
        description: None,
        format: Format::Standard,
        secrets: Vec::new(),
        rate_per_second,
        concurrency,
        ordered: false,
        reason: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

/// Its room while no slot is used.
fn room(paces: &Paces, id: &str, now: i64) -> usize {
    room_of(&paces.rooms(paces.slots, Timestamp(now)), id)
}

fn room_of(rooms: &Rooms, id: &str) -> usize {
    rooms.narrow.iter().find(|(name, _)| name == id).map_or(rooms.per_lane, |(_, room)| *room)
}

fn in_flight(paces: &Paces, id: &str) -> usize {
    paces.lock().lanes.get(id).map_or(0, |lane| lane.in_flight.len())
}

fn answers(paces: &Paces, e: &Endpoint, (well, micros): (bool, i64)) {
    paces.rooms(paces.slots, Timestamp(0));
    assert_eq!(paces.enter(e, JobId::MAX, Timestamp(0)), Turn::Now);
    paces.leave(&e.id, JobId::MAX, Some((well, micros)));
}

/// Claims once for endpoints that all have more than enough to do; how many slots are free then.
fn claim(paces: &Paces, endpoints: &[Endpoint], mut free: usize, job: &mut JobId, now: i64) -> usize {
    let (mut limit, rooms) = (paces.at_once(free), paces.rooms(free, Timestamp(now)));
    for e in endpoints {
        for _ in in_flight(paces, &e.id)..room_of(&rooms, &e.id) {
            if limit > 0 {
                *job += 1;
                limit -= 1;
                free -= usize::from(paces.enter(e, *job, Timestamp(now)) == Turn::Now);
            }
        }
    }
    free
}

#[test]
fn an_endpoint_that_keeps_failing_has_few_requests_until_one_succeeds() {
    let (paces, e) = (Paces::new(100), endpoint("e", 32, None));
    answers(&paces, &e, (true, 10));
    for n in 0..5 {
        assert_eq!(room(&paces, "e", 0), 32, "{n}");
        answers(&paces, &e, (false, 10));
    }
    assert_eq!(room(&paces, "e", 0), 1);
    assert_eq!(paces.enter(&e, 9, Timestamp(0)), Turn::Now);
    assert_eq!(room(&paces, "e", 0), 2);
    paces.leave("e", 9, Some((true, 10)));
    assert_eq!(room(&paces, "e", 0), 32);
}

#[test]
fn the_slow_together_leave_half_of_the_slots_to_the_others() {
    let paces = Paces::new(64);
    let slow: Vec<_> = (0..10).map(|n| endpoint(&format!("slow{n}"), 32, None)).collect();
    for e in &slow {
        answers(&paces, e, (true, 5 * SECOND));
    }
    assert!(slow.iter().all(|e| room(&paces, &e.id, 0) == 1), "the idle too");
    let (mut job, mut free) = (0, 64);
    for _ in 0..10 {
        free = claim(&paces, &slow, free, &mut job, 0);
    }
    assert_eq!(free, 32);
    assert!(slow.iter().all(|e| (1..=4).contains(&in_flight(&paces, &e.id))), "each has its part");
    assert_eq!(room(&paces, "fast", 0), 32);
    // One that comes later has its turn although the others have all there is to share.
    let late = endpoint("late", 32, None);
    answers(&paces, &late, (true, 5 * SECOND));
    assert_eq!(room(&paces, "late", 0), 1);
    assert_eq!(paces.enter(&late, 0, Timestamp(0)), Turn::Now);
}

#[test]
fn more_doubtful_endpoints_than_there_are_slots_take_turns() {
    let paces = Paces::new(64);
    let dead: Vec<_> = (0..200).map(|n| endpoint(&format!("dead{n}"), 32, None)).collect();
    for e in &dead {
        answers(&paces, e, (false, 10));
    }
    let mut offered = HashSet::new();
    for now in 1..=5 {
        let rooms = paces.rooms(64, Timestamp(now));
        let these: Vec<_> = dead.iter().filter(|e| room_of(&rooms, &e.id) == 1).map(|e| e.id.clone()).collect();
        assert_eq!(these.len(), 48);
        offered.extend(these);
    }
    assert_eq!(offered.len(), 200);
}

#[test]
fn one_that_never_answered_has_little_room_and_all_of_it_after_its_first_good_answer() {
    let (paces, e) = (Paces::new(1_024), endpoint("e", 32, None));
    let enter = |job| paces.enter(&e, job, Timestamp(0));
    assert_eq!((0..32).filter(|job| enter(*job) == Turn::Now).count(), 8);
    assert_eq!(room(&paces, "e", 0), 8);
    assert!(paces.leave("e", 0, Some((true, 10))), "there is room now");
    assert_eq!(room(&paces, "e", 0), 32);
    assert_eq!((100..132).filter(|job| enter(*job) == Turn::Now).count(), 25);
}

#[test]
fn endpoints_that_hang_leave_slots_to_the_others_at_once_and_half_of_them_soon() {
    let paces = Paces::new(1_024);
    let hung: Vec<_> = (0..40).map(|n| endpoint(&format!("hung{n}"), 32, None)).collect();
    for e in &hung {
        answers(&paces, e, (true, 10));
    }
    let (mut job, mut free) = (0, 1_024);
    for now in 0..20 {
        free = claim(&paces, &hung, free, &mut job, now);
    }
    assert!(free >= 128, "{free}");
    let well = [endpoint("well", 32, None)];
    answers(&paces, &well[0], (true, 10));
    let mut left = free;
    for now in 20..25 {
        left = claim(&paces, &well, left, &mut job, now);
    }
    assert!(free - left >= 2, "{left}");
    // A second later it is known that they are slow: none of what ends goes to them again before they have half.
    let now = 2 * SECOND;
    let rooms = paces.rooms(left, Timestamp(now));
    assert!(hung.iter().all(|e| room_of(&rooms, &e.id) <= in_flight(&paces, &e.id).max(1)));
    let mut ended = 0;
    for e in &hung {
        while in_flight(&paces, &e.id) > 1 {
            let job = paces.lock().lanes[&e.id].in_flight[0].0;
            paces.leave(&e.id, job, Some((false, 15 * SECOND)));
            ended += 1;
        }
    }
    let mut free = left + ended;
    for n in 0..20 {
        free = claim(&paces, &hung, free, &mut job, now + n);
    }
    assert!(free >= 512 - 32, "{free}");
}

#[test]
fn what_was_long_idle_is_forgotten() {
    let (paces, e) = (Paces::new(64), endpoint("e", 32, None));
    answers(&paces, &e, (false, 10));
    assert_eq!(room(&paces, "e", IDLE_MICROS - 1), 1);
    assert_eq!(room(&paces, "e", IDLE_MICROS), 32);
    assert!(paces.lock().lanes.is_empty());
}

#[test]
fn beyond_its_concurrency_a_job_rests() {
    let (paces, e) = (Paces::new(100), endpoint("e", 1, None));
    assert_eq!(paces.enter(&e, 1, Timestamp(0)), Turn::Now);
    assert_eq!(paces.enter(&e, 2, Timestamp(0)), Turn::At(Timestamp(REST_MICROS)));
    assert_eq!(room(&paces, "e", 0), 1);
    assert!(paces.leave("e", 1, None));
    assert_eq!(paces.enter(&e, 2, Timestamp(1)), Turn::Now);
}

#[test]
fn a_rate_gives_each_job_its_own_time_and_is_kept() {
    let (paces, e) = (Paces::new(100), endpoint("e", 32, Some(10)));
    let (mut now, mut later) = (0, Vec::new());
    for job in 0..8 {
        match paces.enter(&e, job, Timestamp(10 * SECOND)) {
            Turn::Now => now += 1,
            Turn::At(at) => later.push((job, at)),
        }
    }
    assert!((1..=3).contains(&now), "{now}");
    for pair in later.windows(2) {
        assert_eq!(pair[1].1.0 - pair[0].1.0, SECOND / 10);
    }
    // Nothing more is to be claimed before those have gone.
    assert_eq!(room(&paces, "e", 10 * SECOND), now);
    for (job, at) in later {
        assert_eq!(paces.enter(&e, job, at), Turn::Now, "its own time");
    }
    // After a rest there is a small burst and no more.
    for job in 0..8 {
        paces.leave("e", job, Some((true, 10)));
    }
    assert!((1..=3).contains(&room(&paces, "e", 100 * SECOND)));
}

#[test]
fn over_a_minute_a_rate_lets_through_what_it_says() {
    let (paces, e) = (Paces::new(100), endpoint("e", 32, Some(50)));
    let (mut sent, mut now) = (0, 0);
    while now < 60 * SECOND {
        let room = room(&paces, "e", now);
        for job in 0..room {
            let job = u64::try_from(job).unwrap_or(0);
            if paces.enter(&e, job, Timestamp(now)) == Turn::Now {
                paces.leave("e", job, Some((true, 10)));
                sent += 1;
            }
        }
        now += SECOND / 50;
    }
    assert!((2_900..=3_020).contains(&sent), "{sent}");
}
