//! Reads of one entity: as its caller may see it, and its history.

use std::fmt::Write;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::{Kind, Owner};
use engine::cached::View;

use crate::envelope;
use crate::problem::{Known, Problem};
use crate::query::Query;
use crate::routes::App;
use crate::swaps::{etag, is_id, json, matches};

/// The most events in one answer.
const HISTORY_LIMIT: usize = 1_000;

/// The public view of an entity, if the account may see it; otherwise it is as good as not there, which `unknown` says.
///
/// # Errors
/// 404.
pub(crate) async fn view(app: &App, account: &Owner, kind: Kind, id: &str, unknown: Known) -> Result<View, Problem> {
    let problem = || Problem::new(unknown, "there is nothing of that id, or it is not yours to see");
    if !is_id(id) {
        return Err(problem());
    }
    let view = app.engine.cached.view(kind, id).await?.ok_or_else(problem)?;
    let audience = app.engine.access.audience(account).await?;
    if view.is_seen_by(&audience, kind) { Ok(view) } else { Err(problem()) }
}

/// Answers with a view, or that it is still what the caller knows.
pub(crate) fn answer(view: &View, headers: &HeaderMap) -> Response {
    let tag = etag(view.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    (StatusCode::OK, [(header::ETAG, tag)], json(view.body())).into_response()
}

/// Answers with the events of an entity, oldest first, from the version behind `?after=` on; who may see it is for the caller
/// to judge.
///
/// # Errors
/// 400: the query.
pub(crate) async fn history(app: &App, kind: Kind, id: &str, uri: &Uri) -> Result<Response, Problem> {
    let mut query = Query::parse(uri)?;
    let after = query.integer("after", 0, i64::MAX.cast_unsigned()).unwrap_or_default();
    query.finish()?;
    let head = app.engine.journal.head().await?;
    let events = app.engine.journal.history(kind, id, after, HISTORY_LIMIT).await?;
    // One more than a full answer would be more than the journal gives at once.
    let more = match events.last() {
        Some(last) if events.len() == HISTORY_LIMIT => {
            !app.engine.journal.history(kind, id, last.version, 1).await?.is_empty()
        }
        _ => false,
    };
    let mut body = String::from("{\"data\":[");
    for (i, event) in events.iter().enumerate() {
        body.push_str(if i == 0 { "{" } else { ",{" });
        envelope::write_fields(&mut body, head.epoch, event);
        body.push('}');
    }
    let _ = write!(body, "],\"hasMore\":{more}}}");
    Ok(json(body).into_response())
}
