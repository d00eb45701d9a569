//! The fronts of the chain: what clients of a real Solana and of its venues talk to, over HTTP.
//!
//! `rpc` is the chain's JSON-RPC, `jupiter` and `raydium` are the venues' APIs (that of [`crate::universal`] is beside them), `operator` gives money, sets faults and lists
//! what was executed. `faulty` makes each fail as told, `build` makes the transactions that venues hand out.

mod build;
mod decimal;
mod faulty;
mod jupiter;
mod operator;
mod raydium;
mod rpc;
mod seal;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::middleware::from_fn_with_state;

use crate::chain::Chain;
use crate::faults::Front;
use crate::universal::Rfq;
use crate::universal::http::{self as universal, Desk};
use crate::{Clock, Pace, SLOT_MILLIS};

pub(crate) use self::faulty::TookEffect;

/// What every front has.
struct Fronts {
    chain: Arc<Chain>,
    clock: Arc<Clock>,
    orders: jupiter::Orders,
}

type Shared = State<Arc<Fronts>>;
type Body = Result<axum::body::Bytes, BytesRejection>;
type Asked = Result<Query<HashMap<String, String>>, QueryRejection>;

/// Every route of every front.
pub(crate) fn routes(chain: Arc<Chain>, clock: Arc<Clock>) -> Router {
    let faults = Arc::clone(chain.faults());
    let desk = desk(&chain, &clock);
    let fronts = Arc::new(Fronts { chain, clock, orders: jupiter::Orders::default() });
    let faulty = |front: Front| from_fn_with_state((front, Arc::clone(&faults)), faulty::judge);
    let with = |routes: Router<Arc<Fronts>>, front: Front| routes.with_state(Arc::clone(&fronts)).layer(faulty(front));
    Router::new()
        .nest("/jupiter", with(jupiter::routes(), Front::Jupiter))
        .nest("/raydium", with(raydium::routes(), Front::Raydium))
        .merge(with(rpc::routes(), Front::Rpc))
        .merge(operator::routes().with_state(Arc::clone(&fronts)))
        .nest(universal::BASE, universal::routes(desk.clone()).layer(faulty(Front::Universal)))
        .merge(universal::records(desk))
}

/// The venue that quotes on request, on the same clock.
fn desk(chain: &Chain, clock: &Arc<Clock>) -> Desk {
    let settings = chain.world().settings();
    Desk {
        rfq: Arc::new(Rfq::new(settings.seed, chain.retention())),
        clock: Arc::clone(clock),
        faults: Arc::clone(chain.faults()),
        fill_millis: match settings.pace {
            Pace::Real => 2 * SLOT_MILLIS,
            Pace::Instant => 0,
        },
    }
}

/// The parameters of a request's query.
fn parameters(asked: Asked) -> Result<HashMap<String, String>, String> {
    asked.map(|Query(parameters)| parameters).map_err(|refused| refused.body_text())
}

#[cfg(test)]
pub(crate) mod tests;
