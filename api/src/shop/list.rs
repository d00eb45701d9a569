//! `GET /v1/shop/orders`: a shop's orders, page by page.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::shop::{DELETED, Status, TAKEN_AT, customer_key};
use domain::{Kind, Owner};
use drivers::journal::{Among, List, Rank, Ranked};

use crate::account::Account;
use crate::cursor::Place;
use crate::page::{self, Paging};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, DayOrInstant, Paged, ShopOrderList, ShopOrderSort, ShopOrderStatus};

/// Lists the shop's orders, newest first unless `sort` says otherwise.
///
/// `nextCursor` (and the `Link` header) lead to the next page of the same list; a cursor is good only together with the
/// filters and the `sort` it came from. Lists by status, customer, time and total each walk an index of their own; further
/// filters are looked at on the way: a page looks at a bounded number of orders, so where they pass over many, it may hold fewer
/// than `limit`, even none, and still have a `nextCursor`. The list is over when `hasMore` is false.
#[utoipa::path(get, path = "/v1/shop/orders", tag = "shop",
    params(
        ("status" = Option<Vec<ShopOrderStatus>>, Query, description = "In one of these states; repeatable or comma-separated.",
            example = json!(["PENDING"])),
        ("customer" = Option<String>, Query, description = "Of the customer with this e-mail address, in capitals or not."),
        ("from" = Option<DayOrInstant>, Query, description = "Taken at this instant (RFC 3339) or later, or on this day (UTC) or later."),
        ("to" = Option<DayOrInstant>, Query, description = "Taken before this instant, or before this day."),
        ("minTotal" = Option<i64>, Query, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
            description = "A `total` of at least so many minor units."),
        ("maxTotal" = Option<i64>, Query, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
            description = "A `total` of at most so many minor units."),
        ("sort" = Option<ShopOrderSort>, Query,
            description = "By the time when they were taken or by their total; `-` before it for the largest first. `-created` by default.",
            example = "-created"),
        ("deleted" = Option<bool>, Query, description = "Those that were deleted instead; false by default."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = ShopOrderList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let wanted = Wanted::parse(&uri)?;
    let name = wanted.name(&account);
    let after = wanted.paging.place(&app, &name)?;
    let limit = wanted.paging.limit;
    page::read_cached(&app, &uri, &name, std::slice::from_ref(&account), wanted.list(&account, after, limit)).await
}

/// What is asked for, checked.
struct Wanted {
    statuses: Vec<&'static str>,
    customer: Option<String>,
    times: Option<RangeInclusive<i64>>,
    totals: Option<RangeInclusive<i64>>,
    sort: Sort,
    paging: Paging,
}

/// What a list goes by, and whether the largest comes first.
#[derive(Clone, Copy, Debug)]
struct Sort {
    by: Rank,
    falling: bool,
}

/// The words for it.
pub(crate) const SORTS: [&str; 4] = ["created", "-created", "total", "-total"];

impl Sort {
    fn parse(query: &mut Query) -> Self {
        let word = query.one("sort");
        let word = word.as_deref().unwrap_or("-created");
        if !SORTS.contains(&word) {
            query.fault("sort", format!("expected one of {}", SORTS.join(", ")));
        }
        let by = if word.ends_with("total") { Rank::Total } else { Rank::CreatedAt };
        Self { by, falling: word.starts_with('-') }
    }
}

impl Wanted {
    fn parse(uri: &Uri) -> Result<Self, Problem> {
        let mut query = Query::parse(uri)?;
        let statuses = statuses(&mut query);
        let customer = query.one("customer").map(|email| email.to_ascii_lowercase());
        let (from, to) = (query.day("from"), query.day("to"));
        let some = from.is_some() || to.is_some();
        let times = some.then(|| from.unwrap_or(i64::MIN)..=to.map_or(i64::MAX, |to| to.saturating_sub(1)));
        let totals = query.amounts("minTotal", "maxTotal");
        let sort = Sort::parse(&mut query);
        let paging = Paging::parse(&mut query);
        query.finish()?;
        Ok(Self { statuses, customer, times, totals, sort, paging })
    }

    /// Names the list, filters and account, whatever the order of the parameters: what a cursor is bound to.
    fn name(&self, account: &Owner) -> String {
        let Self { statuses, customer, times, totals, sort, .. } = self;
        format!("shop.orders\0{account}\0{statuses:?}\0{customer:?}\0{times:?}\0{totals:?}\0{sort:?}")
    }

    /// One walk for each sort of list: a customer's orders by their creation, orders by time or by total, or all of them.
    fn list(self, account: &Owner, after: Option<Place>, limit: usize) -> List {
        let Self { statuses, customer, times, totals, sort, .. } = self;
        let customer = customer.map(|email| customer_key(account, &email));
        let ranked = |within: Option<RangeInclusive<i64>>| {
            let within = within.unwrap_or(i64::MIN..=i64::MAX);
            let after = after.and_then(|place| place.rank);
            Among::Ranked(Ranked { owner: account.clone(), by: sort.by, within, after })
        };
        let (mut fields, mut ranges) = (Vec::new(), Vec::new());
        let among = match (sort.by, customer) {
            (Rank::Total, customer) => {
                fields.extend(customer.map(|key| ("customerKey", key)));
                ranges.extend(times.map(|times| (TAKEN_AT, times)));
                ranked(totals)
            }
            (Rank::CreatedAt, Some(key)) => {
                ranges.extend(totals.map(|totals| ("total", totals)));
                ranges.extend(times.map(|times| (TAKEN_AT, times)));
                Among::Customer(key)
            }
            (Rank::CreatedAt, None) => {
                ranges.extend(totals.map(|totals| ("total", totals)));
                if times.is_some() { ranked(times) } else { Among::Owner(account.clone()) }
            }
        };
        List {
            kind: Kind::ShopOrder,
            among: vec![among],
            statuses: statuses.into_iter().map(str::to_owned).collect(),
            fields,
            ranges,
            after: after.map(|place| place.seq),
            newest_first: sort.falling,
            limit,
        }
    }
}

/// The journal's words for the states that are asked for: all but that of deleted orders, or that one alone.
fn statuses(query: &mut Query) -> Vec<&'static str> {
    let named = query.list("status");
    let deleted = query.flag("deleted");
    let mut statuses: Vec<Status> = named.iter().filter_map(|word| Status::parse_shown(word)).collect();
    if statuses.len() < named.len() {
        query.fault("status", format!("expected some of {}", Status::ALL.map(Status::shown).join(", ")));
    }
    if deleted {
        if !named.is_empty() {
            query.fault("status", "deleted orders are in none of these states");
        }
        return vec![DELETED];
    }
    if statuses.is_empty() {
        statuses = Status::ALL.to_vec();
    }
    let mut words: Vec<_> = statuses.into_iter().map(Status::as_str).collect();
    words.sort_unstable();
    words.dedup();
    words
}
