//! The cache over HTTP, for who runs the installation: what it did, what it holds, one key or all of them gone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use drivers::Fault;
use drivers::cache::{Held, Keys, Reach, Statistics};

use crate::cursor::{self, Place};
use crate::page::Paging;
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{CacheKeyList, CacheKeyView, CacheView, Paged};

/// What a cursor into the keys is bound to.
const KEYS: &str = "cache.keys";
/// The hit ratio has so many parts.
const PARTS: u64 = 10_000;

/// What the cache has done and what it holds.
///
/// The counts are those of the process that answers, since it started; what is held is what all processes share with it, if
/// they share a cache. In a Redis with more than some ten thousand keys not all are added up: `complete` is false then, and
/// null stands for both where Redis does not answer.
#[utoipa::path(get, path = "/v1/admin/cache", tag = "administration",
    responses((status = 200, description = "Counts, keys and bytes.", body = CacheView)))]
pub(crate) async fn read(State(app): State<Arc<App>>) -> Json<CacheView> {
    let cache = app.engine.cached.cache();
    let held = cache.weigh().await.ok();
    let Statistics { hits, misses, joined, fills, fills_refused, invalidations, errors, .. } = cache.statistics();
    Json(CacheView {
        reach: match cache.reach() {
            Reach::Nothing => "nothing",
            Reach::Process => "process",
            Reach::Cluster => "cluster",
        },
        hits,
        misses,
        joined,
        hit_ratio: ratio(hits, misses + joined),
        fills,
        fills_refused,
        invalidations,
        errors,
        keys: held.map(|held| held.keys),
        bytes: held.map(|held| held.bytes),
        complete: held.is_some_and(|held| held.whole),
    })
}

/// Which part of all were hits, to the ten-thousandth; none of none.
#[expect(clippy::float_arithmetic, reason = "a share to be looked at, no money")]
fn ratio(hits: u64, others: u64) -> Option<f64> {
    let parts = hits.saturating_mul(PARTS).checked_div(hits + others)?;
    u32::try_from(parts).ok().map(|parts| f64::from(parts) / 10_000.0)
}

/// Lists the keys that the cache holds, in no particular order.
///
/// A page may hold fewer than `limit`, even none, or some more, and still have a `nextCursor`: the list is over when `hasMore`
/// is false. Of what comes and goes meanwhile some may be missed and some shown twice. A cache of a process lists what that
/// process holds.
#[utoipa::path(get, path = "/v1/admin/cache/keys", operation_id = "cacheKeysList", tag = "administration",
    params(Paged),
    responses(
        (status = 200, description = "Some of the keys.", body = CacheKeyList),
        (status = 503, description = "The cache's Redis does not answer: `UNAVAILABLE`.")))]
pub(crate) async fn keys(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<CacheKeyList>, Problem> {
    let mut query = Query::parse(&uri)?;
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let from = paging.after(&app, KEYS)?;
    let Keys { keys, next } = app.engine.cached.cache().keys(from, paging.limit).await.map_err(failed)?;
    let next_cursor = next.map(|next| cursor::seal(&app.settings.secret, KEYS, Place { seq: next, rank: None }));
    let has_more = next_cursor.is_some();
    Ok(Json(CacheKeyList { data: keys.into_iter().map(view).collect(), next_cursor, has_more }))
}

fn view(Held { key, what, version, bytes, left }: Held) -> CacheKeyView {
    let expires_in_seconds = left.as_secs();
    CacheKeyView { key, holds: what.as_str(), version, bytes, expires_in_seconds }
}

/// Forgets what is held under one key: the next who asks for it loads it. Written in the path as it is listed, percent-encoded.
#[utoipa::path(delete, path = "/v1/admin/cache/keys/{key}", operation_id = "cacheKeysDelete", tag = "administration",
    params(("key" = String, Path, description = "The key, as it is listed.")),
    responses(
        (status = 204, description = "Forgotten."),
        (status = 404, description = "There is no such key: `CACHE_KEY_NOT_FOUND`."),
        (status = 503, description = "The cache's Redis does not answer: `UNAVAILABLE`.")))]
pub(crate) async fn delete(State(app): State<Arc<App>>, Path(key): Path<String>) -> Result<StatusCode, Problem> {
    match app.engine.cached.cache().remove(&key).await.map_err(failed)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(codes::CACHE_KEY_NOT_FOUND, "the cache holds no value under that key")),
    }
}

/// Forgets everything that the cache holds, and nothing that is not its own, whatever else its Redis keeps.
///
/// It costs the same however much there is: what was cached before belongs to a generation that nobody reads any more. A Redis
/// that does not answer is told when it does, and nothing is read from it before.
#[utoipa::path(delete, path = "/v1/admin/cache", operation_id = "cacheClear", tag = "administration",
    responses((status = 204, description = "Forgotten.")))]
pub(crate) async fn clear(State(app): State<Arc<App>>) -> Response {
    app.engine.cached.cache().clear().await;
    StatusCode::NO_CONTENT.into_response()
}

fn failed(fault: Fault) -> Problem {
    match fault {
        Fault::Unavailable(_) => Problem::new(codes::UNAVAILABLE, "the cache's Redis does not answer; try again"),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_cut_to_the_ten_thousandth() {
        for (hits, others, shown) in [(0, 0, None), (0, 5, Some("0.0")), (2, 1, Some("0.6666")), (7, 0, Some("1.0"))] {
            assert_eq!(ratio(hits, others).map(|ratio| format!("{ratio:?}")).as_deref(), shown, "{hits} and {others}");
        }
    }
}
