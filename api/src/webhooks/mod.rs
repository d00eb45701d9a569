//! Webhooks over HTTP: endpoints, what was delivered to them, and what is to be delivered again.

mod actions;
mod deliveries;
mod endpoints;
mod terms;

pub(crate) use actions::{
    __path_disable, __path_enable, __path_replay, __path_replayed, __path_rotate, __path_test, disable, enable, replay,
    replayed, rotate, test,
};
pub(crate) use deliveries::{
    __path_list as __path_deliveries, __path_read as __path_delivery, __path_resend, list as deliveries,
    read as delivery, resend,
};
pub(crate) use endpoints::{
    __path_create, __path_delete, __path_list, __path_read, __path_update, create, delete, list, read, update,
};

use domain::{Entity, Kind, Owner};

use crate::problem::{Known, Problem, codes};
use crate::routes::App;
use crate::swaps::is_id;

const ENDPOINTS: &str = "/v1/webhooks/endpoints";
const DELIVERIES: &str = "/v1/webhooks/deliveries";
const REPLAYS: &str = "/v1/webhooks/replays";

/// What is the account's own; anything else is as good as not there.
async fn owned(app: &App, account: &Owner, kind: Kind, id: &str, unknown: Known) -> Result<Entity, Problem> {
    let nothing = || Problem::new(unknown, "there is nothing of that id, or it is not yours");
    if !is_id(id) {
        return Err(nothing());
    }
    let row = app.engine.journal.entity(kind, id).await?;
    row.filter(|row| row.owner == *account && row.status != "deleted").ok_or_else(nothing)
}

/// Refuses what is nobody's id.
fn known(id: &str) -> Result<(), Problem> {
    if is_id(id) { Ok(()) } else { Err(Problem::new(codes::ENDPOINT_NOT_FOUND, "there is no such webhook endpoint")) }
}
