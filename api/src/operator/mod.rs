//! What operators ask: how queues stand, and which jobs were given up; and what they do about it.

mod dead;
mod queues;

pub(crate) use dead::{
    __path_dead_discard, __path_dead_discard_all, __path_dead_errors, __path_dead_list, __path_dead_read,
    __path_dead_retry, __path_dead_retry_all, dead_discard, dead_discard_all, dead_errors, dead_list, dead_read,
    dead_retry, dead_retry_all,
};
pub(crate) use queues::{
    __path_list, __path_pause, __path_purge, __path_read, __path_resume, list, pause, purge, read, resume,
};

use crate::problem::{Problem, codes};

fn no_such_queue() -> Problem {
    Problem::new(
        codes::QUEUE_NOT_FOUND,
        "there is no such queue: none of the program's own, and none of this account's",
    )
}
