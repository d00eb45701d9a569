//! The suite every journal driver passes, written against the trait alone.
//!
//! A driver's tests make a [`Harness`] and expand `journal_cases!` with a macro that makes a test of each name.

mod among;
mod batches;
mod changes;
mod dedup;
mod endings;
mod forget;
mod given;
mod groups;
mod jobs;
mod keys;
mod lanes;
mod leases;
mod levels;
mod lists;
mod log;
mod make;
mod messages;
mod parties;
mod prune;
mod ranked;
mod repeated;
mod settled;
mod together;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::Timestamp;

use crate::journal::Journal;
use crate::wake::Wake;

/// What the suite needs of a driver: one empty store per harness.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens the harness's store: empty at first, the same one afterwards. Whoever held it before has let go of it, by
    /// `close` or, like a crash, by dropping it.
    async fn open(&self, lease_millis: u64) -> Arc<dyn Journal>;

    /// The wake port that every journal of the harness is opened with.
    fn wake(&self) -> Arc<dyn Wake>;

    /// Now, by a clock that runs.
    fn now(&self) -> Timestamp;
}

/// A case while it runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// A case.
pub type Case = fn(&dyn Harness) -> Running<'_>;

/// A lease time that no test outlives.
const LONG: u64 = 600_000;
/// A lease time that lapses while a test waits for it.
const SHORT: u64 = 150;
/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// Hands the list of cases to a macro.
macro_rules! journal_cases {
    ($with:ident) => {
        $with! {
            changes::created_entity_reads_back,
            changes::update_raises_the_version_and_keeps_the_birth,
            changes::update_of_another_version_conflicts,
            changes::update_of_nothing_conflicts,
            changes::second_creation_conflicts,
            changes::two_entities_change_together_or_not_at_all,
            changes::one_entity_may_change_twice_in_one_change,
            changes::failed_change_leaves_nothing,
            changes::bookkeeping_makes_no_events,
            changes::empty_change_is_applied,
            changes::entity_keeps_its_owner,
            changes::kinds_are_apart,
            changes::event_bodies_have_a_limit,
            changes::ids_have_a_limit,
            changes::texts_are_kept_to_the_byte,
            changes::texts_that_no_row_can_hold_find_nothing,
            batches::conflict_fails_alone,
            batches::broken_change_fails_alone,
            batches::same_entity_twice_has_one_winner,
            batches::same_key_twice_has_one_winner,
            batches::same_creation_twice_has_one_winner,
            batches::chain_of_versions_stays_whole,
            batches::numbers_are_gap_free_under_64_writers,
            batches::lease_is_spent_once,
            keys::key_reads_back,
            keys::key_in_use_names_the_winner,
            keys::key_in_use_leaves_nothing,
            keys::key_ends_at_its_expiry,
            keys::key_without_expiry_stays,
            keys::scopes_are_apart,
            keys::sweep_deletes_what_has_expired,
            keys::keys_have_a_limit,
            keys::keys_survive_reopening,
            log::empty_journal_starts_at_zero,
            log::head_follows_the_log,
            log::events_come_in_order_from_a_position,
            log::events_of_one_owner,
            log::history_pages_by_version,
            log::positions_hold_after_reopening,
            log::epoch_stays,
            log::answered_writes_are_read,
            log::limits_are_kept,
            log::hints_follow_commits,
            parties::party_and_parent_read_back,
            parties::entity_keeps_its_party_and_an_event_has_its_own,
            parties::audience_sees_its_own_what_concerns_it_and_deals_of_its_sellers,
            parties::audience_of_a_thousand_sellers_misses_nothing,
            forget::oldest_events_are_forgotten,
            forget::forgetting_keeps_its_limit,
            forget::forgetting_stops_at_the_first_younger_event,
            forget::newest_event_is_never_forgotten,
            forget::forgetting_survives_reopening,
            forget::keys_outlive_their_events,
            forget::numbers_go_on_while_events_are_forgotten,
            forget::reader_knows_what_it_missed,
            prune::old_bookkeeping_is_deleted,
            prune::pruning_keeps_its_limit_and_stops_at_the_first_younger,
            prune::creation_numbers_rise_though_the_newest_is_deleted,
            lists::lists_page_in_both_directions,
            lists::the_last_page_says_so,
            lists::lists_filter_by_owner_and_status,
            lists::lists_filter_by_fields,
            lists::lists_keep_their_order_over_changes,
            lists::creation_numbers_rise_over_reopening,
            among::lists_of_several_owners_are_one,
            among::lists_go_by_party_and_parent,
            among::lists_filter_by_ranges,
            among::lists_of_owners_keep_up_with_changes,
            ranked::shop_orders_are_listed_by_a_number,
            ranked::shop_orders_are_listed_by_customer,
            jobs::job_is_handed_out_with_all_it_has,
            jobs::oldest_due_job_comes_first,
            jobs::claim_keeps_its_limit,
            jobs::delayed_job_waits,
            jobs::finished_job_is_gone,
            jobs::retried_job_waits_and_counts,
            jobs::waiting_job_does_not_count,
            jobs::buried_job_is_dead,
            jobs::dead_job_starts_anew,
            jobs::dead_job_is_discarded,
            jobs::queues_are_apart,
            jobs::job_numbers_rise_over_reopening,
            jobs::depth_tells_the_states_apart,
            jobs::backlog_of_25_000_is_handed_out_once,
            jobs::concurrent_claims_share_no_job,
            lanes::lane_keeps_its_limit,
            lanes::unnamed_lane_has_no_limit,
            lanes::full_lane_with_a_backlog_starves_no_other,
            lanes::freed_place_is_used,
            lanes::lanes_survive_reopening,
            lanes::narrow_lane_keeps_its_own_limit,
            lanes::closed_lane_is_not_forgotten,
            lanes::narrow_lanes_with_backlogs_starve_no_other,
            groups::group_goes_one_by_one,
            groups::groups_run_side_by_side,
            groups::retried_head_keeps_its_place,
            groups::waiting_head_keeps_its_place,
            groups::buried_head_lets_the_group_go_on,
            groups::parked_group_stops_until_a_retry,
            groups::parked_group_stops_until_a_discard,
            groups::parked_group_stays_parked_over_reopening,
            groups::group_of_another_queue_is_another_group,
            groups::job_may_follow_itself,
            groups::dead_job_of_a_busy_group_waits_its_turn,
            dedup::duplicate_gets_the_earlier_number,
            dedup::window_ends,
            dedup::window_outlives_the_job,
            dedup::window_outlives_the_process,
            dedup::same_key_in_another_queue_is_no_duplicate,
            dedup::failed_change_takes_no_window,
            leases::lapsed_job_is_handed_out_again,
            leases::lapsed_job_counts_as_ready,
            leases::lapsed_lease_is_stale_before_it_is_replaced,
            leases::stale_lease_commits_nothing,
            leases::held_lease_goes_on,
            leases::renewed_lease_stays,
            leases::renewal_names_the_lost_ones,
            leases::leases_end_with_the_process,
            leases::attempts_are_counted_over_restarts,
            leases::killer_job_dies_with_its_entity,
            messages::received_message_is_hidden_and_counted,
            messages::message_is_visible_again_by_the_clock,
            messages::hidden_message_stays_hidden_over_reopening,
            messages::delayed_message_waits,
            messages::longest_visible_message_comes_first,
            messages::receive_keeps_its_limit,
            messages::message_that_is_not_hidden_comes_once_in_a_call,
            messages::call_may_take_one_of_each_group,
            messages::group_gives_what_is_visible_up_to_the_first_that_is_not,
            messages::group_with_an_extended_message_gives_those_before_it,
            messages::group_with_messages_out_gives_nothing_more,
            messages::half_deleted_group_stays_closed,
            messages::deleted_head_lets_the_next_go,
            messages::many_of_a_group_come_before_the_next_group,
            messages::returned_group_goes_behind_those_that_wait,
            messages::queues_of_messages_are_apart,
            messages::window_of_a_duplicate_outlives_receipt_and_deletion,
            settled::older_hand_out_has_no_say,
            settled::lapsed_hand_out_has_a_say_only_if_it_may_be_late,
            settled::whoever_has_it_may_be_overruled,
            settled::message_is_looked_for_in_its_queue,
            settled::shown_message_is_hidden_or_seen,
            settled::steps_of_one_change_follow_each_other,
            settled::whole_group_is_deleted_at_once,
            settled::message_moves_to_another_queue_in_one_change,
            settled::failed_change_settles_nothing,
            settled::counts_tell_the_states_apart,
            settled::dropped_queue_is_empty,
            settled::queue_that_is_dropped_while_in_use_harms_nothing,
            repeated::repeated_call_is_answered_with_the_same,
            repeated::repeated_call_hides_anew,
            repeated::call_whose_messages_were_settled_is_refused,
            repeated::lapsed_call_is_a_new_one,
            repeated::names_of_calls_are_of_one_queue_and_have_a_limit,
            repeated::calls_of_one_name_at_once_get_the_same,
            together::receivers_at_once_share_no_message,
            together::groups_stay_whole_and_in_order_under_many_receivers,
            together::receivers_and_settlers_never_wait_in_a_circle,
            levels::level_moves_within_its_bounds,
            levels::moves_of_one_level_add_up,
            levels::refused_level_leaves_nothing,
            levels::failed_change_moves_no_level,
            levels::levels_read_in_the_order_of_their_names,
            levels::names_of_levels_have_a_limit,
            levels::sixty_four_takers_of_ten_get_ten,
            levels::takers_of_one_batch_get_no_more_than_there_is,
            levels::levels_survive_reopening,
            levels::level_stays_below_what_a_move_allows,
            levels::takers_up_to_a_bound_never_pass_it,
            levels::dropped_levels_are_those_between_two_names,
            given::given_version_has_to_stand,
            given::given_absence_has_to_stand,
            given::given_entity_is_not_changed,
            given::given_is_looked_at_before_the_change_is_written,
            given::given_sees_what_came_before_it_in_a_batch,
            endings::ping_answers,
            endings::closed_journal_is_unavailable,
            endings::close_writes_what_waits,
        }
    };
}
pub(crate) use journal_cases;

macro_rules! table {
    ($($module:ident :: $name:ident),* $(,)?) => {
        /// Every case with its name.
        pub const CASES: &[(&str, Case)] = &[$((stringify!($name), |harness| Box::pin($module::$name(harness)))),*];
    };
}
journal_cases!(table);

/// Runs one case by name.
///
/// # Panics
/// The case failed, or there is none of that name.
pub async fn run(name: &str, harness: &dyn Harness) {
    let Some((_, case)) = CASES.iter().find(|(listed, _)| *listed == name) else { panic!("no case is named {name}") };
    case(harness).await;
}

/// Asks again until there is an answer.
async fn until<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "nothing came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
