//! `GET /deal`: what a buyer sees.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use domain::deal::recorded;
use domain::{Audience, Entity, Kind};
use drivers::Fault;
use drivers::journal::{Among, List};
use engine::cached::Whose;

use super::{Holder, Refused, json};
use crate::page;
use crate::problem::Problem;
use crate::routes::App;

/// How many deals a page has where nothing is asked for.
const DEFAULT_TAKE: i64 = 2;
/// The most deals of a page; whoever asks for more gets these, and a cursor.
const MOST: usize = 100;

/// Which page.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// How many.
    take: usize,
    /// From older to newer: what a negative number means.
    backwards: bool,
    /// The number of the first deal; none begins at the newest, or backwards at the oldest.
    cursor: Option<u64>,
}

/// Deals of the sellers that authorised the caller, the newest first.
pub(super) async fn page(State(app): State<Arc<App>>, Holder(buyer): Holder, uri: Uri) -> Result<Response, Refused> {
    let asked = Asked::parse(&uri);
    let audience = app.engine.access.audience(&buyer).await.map_err(Problem::from)?;
    let Asked { take, backwards, cursor } = asked;
    let query = format!("facade\0{take}\0{backwards}\0{cursor:?}");
    let load = || shown(&app, &audience, &asked);
    let body = app.engine.cached.list(Kind::Deal, Whose::Of(&audience.sellers), &query, load).await;
    Ok(json(StatusCode::OK, body.map_err(Problem::from)?))
}

/// The page as it is answered.
async fn shown(app: &App, audience: &Audience, asked: &Asked) -> Result<Bytes, Fault> {
    let mut found = find(app, audience, asked).await?;
    let next = (found.len() > asked.take).then(|| found.pop()).flatten();
    if asked.backwards {
        found.reverse();
    }
    let mut deals = Vec::with_capacity(found.len());
    for entity in &found {
        let broken = |error| Fault::Broken(format!("deal {}: {error}", entity.id));
        deals.push(recorded::listed(&page::of_entity(entity)?, entity.created_seq).map_err(broken)?);
    }
    let cursor = next.map(|next| format!(",\"cursor\":{}", next.created_seq)).unwrap_or_default();
    Ok(format!("{{\"deals\":[{}]{cursor}}}", deals.join(",")).into())
}

/// The page, and one more where there is one.
async fn find(app: &App, audience: &Audience, asked: &Asked) -> Result<Vec<Entity>, Fault> {
    let among: Vec<Among> = audience.sellers.iter().cloned().map(Among::Owner).collect();
    let mut found = Vec::new();
    if among.is_empty() {
        return Ok(found);
    }
    // The list begins beyond a number, the cursor at one.
    let beyond = |cursor: u64| if asked.backwards { cursor.saturating_sub(1) } else { cursor.saturating_add(1) };
    let mut list = List {
        kind: Kind::Deal,
        among,
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: asked.cursor.map(beyond),
        newest_first: !asked.backwards,
        limit: asked.take + 1,
    };
    loop {
        let page = app.engine.journal.entities(list.clone()).await?;
        found.extend(page.entities);
        match page.next {
            Some(after) if found.len() <= asked.take => {
                list.after = Some(after);
                list.limit = asked.take + 1 - found.len();
            }
            _ => return Ok(found),
        }
    }
}

impl Asked {
    /// The original reads numbers and nothing else; what is none counts as not there.
    fn parse(uri: &Uri) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        let number = |wanted: &str| {
            let text = pairs.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.trim())?;
            super::number::whole_part(text).filter(|number| *number != 0)
        };
        let take = number("take").unwrap_or(DEFAULT_TAKE);
        let cursor = number("cursor").and_then(|number| u64::try_from(number).ok());
        let size = usize::try_from(take.unsigned_abs()).unwrap_or(MOST).min(MOST);
        Self { take: size, backwards: take < 0, cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_counts_as_not_there() {
        let asked = |take, backwards, cursor| Asked { take, backwards, cursor };
        for (query, expected) in [
            ("", asked(2, false, None)),
            ("?take=0&cursor=0", asked(2, false, None)),
            ("?take=x&cursor=", asked(2, false, None)),
            ("?take=5&cursor=99999999", asked(5, false, Some(99_999_999))),
            ("?take=-3", asked(3, true, None)),
            ("?take=2.9", asked(2, false, None)),
            ("?take=1000&cursor=-4", asked(100, false, None)),
            ("?cursor=7&cursor=8", asked(2, false, Some(7))),
        ] {
            assert_eq!(Asked::parse(&format!("/deal{query}").parse().unwrap()), expected, "{query}");
        }
    }
}
