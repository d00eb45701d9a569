//! What operators ask: how queues stand, which jobs were given up, what may be traded; and what they do about it.

mod dead;
mod limits;
mod queues;
mod trading;

pub(crate) use dead::{
    __path_dead_discard, __path_dead_discard_all, __path_dead_errors, __path_dead_list, __path_dead_read,
    __path_dead_retry, __path_dead_retry_all, dead_discard, dead_discard_all, dead_errors, dead_list, dead_read,
    dead_retry, dead_retry_all,
};
pub(crate) use limits::{
    __path_limits_list, __path_limits_read, __path_limits_remove, __path_limits_set, limits_list, limits_read,
    limits_remove, limits_set,
};
pub(crate) use queues::{
    __path_list, __path_pause, __path_purge, __path_read, __path_resume, list, pause, purge, read, resume,
};

pub(crate) use trading::{__path_trading_read, __path_trading_set, trading_read, trading_set};

use domain::Owner;

use crate::account::CameIn;
use crate::problem::{Problem, codes};

fn no_such_queue() -> Problem {
    Problem::new(
        codes::QUEUE_NOT_FOUND,
        "there is no such queue: none of the program's own, and none of this account's",
    )
}

/// Who acts: the account of the key, whichever account it acts for; on an open server that account.
fn actor(account: &Owner, CameIn(caller): CameIn) -> Owner {
    let principal = caller.and_then(|caller| caller.principal);
    principal.map_or_else(|| account.clone(), |principal| principal.account.clone())
}
