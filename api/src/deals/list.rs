//! `GET /v1/deals`: every deal that an account may see, newest first, page by page.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::deal::Status;
use domain::money::Currency;
use domain::{Audience, Kind, Owner};
use drivers::journal::{Among, List, Page};

use crate::account::Account;
use crate::page::{self, Paging};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::App;
use crate::schema::{AccountName, Acting, CurrencyCode, DealList, DealStatus, Paged};

/// Lists the deals that the account may see, newest first: its own, and those of the sellers that authorised it.
///
/// `nextCursor` (and the `Link` header) lead to the next page of the same list; a cursor is good only together with the
/// filters it came from. Deals that are added meanwhile come before the first page: no page repeats or misses one. A page
/// looks at a bounded number of deals: where filters pass over many, it may hold fewer than `limit`, even none, and still
/// have a `nextCursor`. The list is over when `hasMore` is false.
#[utoipa::path(get, path = "/v1/deals", tag = "deals",
    params(
        ("seller" = Option<Vec<AccountName>>, Query, description = "Only of these sellers; repeatable or comma-separated."),
        ("status" = Option<Vec<DealStatus>>, Query, description = "In one of these states; repeatable or comma-separated."),
        ("currency" = Option<CurrencyCode>, Query, description = "A code of ISO 4217."),
        ("minPrice" = Option<i64>, Query, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
            description = "A `totalPrice` of at least so many minor units."),
        ("maxPrice" = Option<i64>, Query, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
            description = "A `totalPrice` of at most so many minor units."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = DealList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let wanted = Wanted::parse(&uri)?;
    let name = wanted.name(&account);
    let after = wanted.paging.after(&app, &name)?;
    let audience = app.engine.access.audience(&account).await?;
    let sellers = wanted.among(&audience);
    // Nobody means nobody here, and everybody to the journal.
    if sellers.is_empty() {
        return page::answer(&app, &uri, &name, &Page::default());
    }
    let Wanted { statuses, currency, prices, paging, .. } = wanted;
    let list = List {
        kind: Kind::Deal,
        among: sellers.iter().cloned().map(Among::Owner).collect(),
        statuses,
        fields: currency.map(|currency| ("currency", currency.code().to_owned())).into_iter().collect(),
        ranges: prices.map(|prices| ("totalPrice", prices)).into_iter().collect(),
        after,
        newest_first: true,
        limit: paging.limit,
    };
    page::read_cached(&app, &uri, &name, &sellers, list).await
}

/// What is asked for, checked.
struct Wanted {
    sellers: Vec<String>,
    statuses: Vec<String>,
    currency: Option<Currency>,
    prices: Option<RangeInclusive<i64>>,
    paging: Paging,
}

impl Wanted {
    fn parse(uri: &Uri) -> Result<Self, Problem> {
        let mut query = Query::parse(uri)?;
        let sellers = sorted(query.list("seller"));
        if sellers.iter().any(|seller| Owner::parse(seller).is_none()) {
            query.fault("seller", "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -");
        }
        let statuses = sorted(query.list("status"));
        if statuses.iter().any(|status| Status::parse(status).is_none()) {
            query.fault("status", format!("expected some of {}", Status::ALL.map(Status::as_str).join(", ")));
        }
        let code = query.one("currency");
        let currency = code.as_deref().and_then(Currency::parse);
        if code.is_some() && currency.is_none() {
            query.fault("currency", "expected a code of ISO 4217 such as GBP");
        }
        let prices = query.amounts("minPrice", "maxPrice");
        let paging = Paging::parse(&mut query);
        query.finish()?;
        Ok(Self { sellers, statuses, currency, prices, paging })
    }

    /// Names the list, filters and account, whatever the order of the parameters: what a cursor is bound to.
    fn name(&self, account: &Owner) -> String {
        let Self { sellers, statuses, currency, prices, .. } = self;
        format!("deals\0{account}\0{sellers:?}\0{statuses:?}\0{currency:?}\0{prices:?}")
    }

    /// Whose deals: of those that the audience may see, the ones that are wanted.
    fn among(&self, audience: &Audience) -> Vec<Owner> {
        let seen = std::iter::once(&audience.account).chain(audience.sellers.iter());
        let wanted = |seller: &&Owner| {
            self.sellers.is_empty() || self.sellers.binary_search_by(|s| s.as_str().cmp(seller.as_str())).is_ok()
        };
        seen.filter(wanted).cloned().collect()
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
