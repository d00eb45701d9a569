//! Pages of a list: how many, from where on, and the way to the next.

use std::fmt::Write;

use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::{Entity, Owner};
use drivers::Fault;
use drivers::journal::{List, Page};
use engine::cached::Whose;

use crate::cursor::{self, Place};
use crate::problem::{At, Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::swaps::json;

const DEFAULT_LIMIT: u64 = 20;
const MOST: u64 = 100;

/// Which page is asked for.
pub(crate) struct Paging {
    pub(crate) limit: usize,
    cursor: Option<String>,
}

impl Paging {
    /// The parameters `limit` and `cursor`.
    pub(crate) fn parse(query: &mut Query) -> Self {
        let limit = query.integer("limit", 1, MOST).unwrap_or(DEFAULT_LIMIT);
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), cursor: query.one("cursor") }
    }

    /// The parameter `cursor` alone.
    pub(crate) fn at(query: &mut Query) -> Self {
        Self { limit: usize::MAX, cursor: query.one("cursor") }
    }

    /// Where the page begins. `name` says which list it is, whose, with all its filters: a cursor of another is refused.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn after(&self, app: &App, name: &str) -> Result<Option<u64>, Problem> {
        Ok(self.place(app, name)?.map(|place| place.seq))
    }

    /// The same of a list that may go by another number.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn place(&self, app: &App, name: &str) -> Result<Option<Place>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let place = cursor::open(&app.settings.secret, name, text);
        let detail = "take the cursor from the previous page of the same list";
        place.map(Some).ok_or_else(|| Problem::at(At::parameter("cursor"), codes::INVALID_CURSOR, detail))
    }
}

/// Reads a page from the journal and answers with the public views of what is there.
pub(crate) async fn read(app: &App, uri: &Uri, name: &str, list: List) -> Result<Response, Problem> {
    let page = app.engine.journal.entities(list).await?;
    answer(app, uri, name, &page)
}

/// The same through the cache, of a list of entities of the owners that it names, all of whose filters `name` tells.
pub(crate) async fn read_cached(
    app: &App,
    uri: &Uri,
    name: &str,
    owners: &[Owner],
    list: List,
) -> Result<Response, Problem> {
    let query = format!("{name}\0{}\0{:?}", list.limit, (list.after, list.rank_after()));
    let load = || async {
        let page = app.engine.journal.entities(list.clone()).await?;
        compose(app, name, &page, of_entity).map(|composed| composed.pack())
    };
    let packed = app.engine.cached.list(list.kind, Whose::Of(owners), &query, load).await?;
    Ok(Composed::unpack(packed).answer(uri))
}

/// The answer: public views, and the way to the next page of the list of that name.
pub(crate) fn answer(app: &App, uri: &Uri, name: &str, page: &Page) -> Result<Response, Problem> {
    answer_as(app, uri, name, page, view)
}

/// The same with views of the caller's making.
pub(crate) fn answer_as(
    app: &App,
    uri: &Uri,
    name: &str,
    page: &Page,
    view: impl FnMut(&Entity) -> Result<String, Problem>,
) -> Result<Response, Problem> {
    Ok(compose(app, name, page, view)?.answer(uri))
}

/// The same with views that are written already.
pub(crate) fn answer_views(
    app: &App,
    uri: &Uri,
    name: &str,
    views: &[String],
    next: Option<u64>,
) -> Result<Response, Problem> {
    Ok(compose_views(app, name, views, next.map(Place::at)).answer(uri))
}

/// A page as it is sent, and the cursor to the next one.
struct Composed {
    body: Bytes,
    next: Option<Bytes>,
}

fn compose<E>(
    app: &App,
    name: &str,
    page: &Page,
    view: impl FnMut(&Entity) -> Result<String, E>,
) -> Result<Composed, E> {
    let views = page.entities.iter().map(view).collect::<Result<Vec<_>, E>>()?;
    Ok(compose_views(app, name, &views, page.next.map(|seq| Place { seq, rank: page.rank })))
}

fn compose_views(app: &App, name: &str, views: &[String], next: Option<Place>) -> Composed {
    let next = next.map(|place| cursor::seal(&app.settings.secret, name, place));
    let (shown, more) = (next.as_ref().map_or_else(|| "null".to_owned(), |c| format!("\"{c}\"")), next.is_some());
    let body = format!("{{\"data\":[{}],\"nextCursor\":{shown},\"hasMore\":{more}}}", views.join(","));
    Composed { body: body.into(), next: next.map(Bytes::from) }
}

impl Composed {
    /// The length of the cursor, the cursor, the body.
    fn pack(&self) -> Bytes {
        let next = self.next.as_deref().unwrap_or_default();
        let mut packed = BytesMut::with_capacity(1 + next.len() + self.body.len());
        // A cursor has at most 43 bytes.
        packed.put_u8(u8::try_from(next.len()).unwrap_or(0));
        packed.put_slice(next);
        packed.put_slice(&self.body);
        packed.freeze()
    }

    fn unpack(mut packed: Bytes) -> Self {
        let length = packed.try_get_u8().map_or(0, usize::from).min(packed.len());
        let next = packed.split_to(length);
        Self { body: packed, next: Some(next).filter(|next| !next.is_empty()) }
    }

    fn answer(self, uri: &Uri) -> Response {
        let mut response = json(self.body).into_response();
        let link = self.next.as_deref().and_then(|next| std::str::from_utf8(next).ok());
        let link = link.and_then(|cursor| HeaderValue::try_from(link_to(uri, cursor)).ok());
        response.headers_mut().extend(link.map(|link| (header::LINK, link)));
        response
    }
}

/// The public view of an entity as JSON.
///
/// # Errors
/// 500: its body is not what this program writes, or its kind has no public view.
pub(crate) fn view(entity: &Entity) -> Result<String, Problem> {
    Ok(of_entity(entity)?)
}

/// The same, for whoever has no problem to tell of yet.
///
/// # Errors
/// The same as a fault.
pub(crate) fn of_entity(entity: &Entity) -> Result<String, Fault> {
    let broken = |why: &str| Fault::Broken(format!("{} {}: {why}", entity.kind, entity.id));
    let view = domain::view::of_entity(entity).map_err(|error| broken(&error.to_string()))?;
    view.ok_or_else(|| broken("it has no public view"))
}

/// RFC 8288: the same list from the cursor on.
fn link_to(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or("").split('&').filter(|p| !p.is_empty() && !p.starts_with("cursor="));
    let mut query = kept.collect::<Vec<_>>().join("&");
    let _ = write!(query, "{}cursor={cursor}", if query.is_empty() { "" } else { "&" });
    format!("<{}?{query}>; rel=\"next\"", uri.path())
}
