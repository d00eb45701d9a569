//! Quotes: what every venue would give now, the best of them, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use domain::amount::price;
use domain::swap::{Answer, Mode, Swap, accept, choose, limit};
use engine::clock;

use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, FailureView, LegView, QuoteRequest, QuoteView, Quotes, SwapMode, SwapSide};
use crate::terms::{self, Terms};

/// Asks all venues at once, under one deadline. Changes nothing and reserves nothing.
#[utoipa::path(post, path = "/v1/quotes", tag = "quotes", request_body = QuoteRequest,
    params(Acting),
    responses(
        (status = 200, description = "Every venue's answer, the best of them, and why.", body = Quotes),
        (status = 422, description = "Refused: `UNKNOWN_TOKEN`, `SAME_TOKEN`, `AMOUNT_MALFORMED`, `AMOUNT_NOT_POSITIVE`, \
            `AMOUNT_TOO_PRECISE`, `AMOUNT_TOO_LARGE`, `SLIPPAGE_OUT_OF_RANGE` or `UNKNOWN_CHOICE`.")))]
pub(crate) async fn by_body(
    State(app): State<Arc<App>>,
    Account(account): Account,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Quotes>, Problem> {
    let mut form = Form::parse(&body)?;
    let terms = terms::from_body(&mut form, &app.engine.tokens);
    form.finish()?;
    ask(&app, account, terms).await
}

/// The same with a query string.
#[utoipa::path(get, path = "/v1/quotes", tag = "quotes",
    params(
        ("inputToken" = String, Query, description = "Symbol of the token that is paid."),
        ("outputToken" = String, Query, description = "Symbol of the token that is received."),
        ("amount" = String, Query, pattern = r"^[0-9]+(\.[0-9]+)?$",
            description = "Whole tokens as decimal text; which one, `mode` says."),
        ("mode" = Option<SwapMode>, Query, description = "`exactIn` (default) or `exactOut`."),
        ("side" = Option<SwapSide>, Query, description = "`sell` or `buy`: information."),
        ("slippageBps" = Option<u16>, Query, minimum = 0, maximum = 10_000, description = "0 to 10,000; 50 by default."),
        Acting),
    responses(
        (status = 200, description = "Every venue's answer, the best of them, and why.", body = Quotes),
        (status = 422, description = "Refused: `UNKNOWN_TOKEN`, `SAME_TOKEN`, `AMOUNT_MALFORMED`, `AMOUNT_NOT_POSITIVE`, \
            `AMOUNT_TOO_PRECISE`, `AMOUNT_TOO_LARGE`, `SLIPPAGE_OUT_OF_RANGE` or `UNKNOWN_CHOICE`.")))]
pub(crate) async fn by_query(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Json<Quotes>, Problem> {
    let mut query = Query::parse(&uri)?;
    let terms = terms::from_query(&mut query, &app.engine.tokens);
    query.finish()?;
    ask(&app, account, terms).await
}

async fn ask(app: &App, account: domain::Owner, terms: Option<Terms>) -> Result<Json<Quotes>, Problem> {
    // The order that these terms would make: the rules judge it, and nobody writes it down.
    let swap = accept(terms::place(terms, account)?, clock::now())?.swap;
    let answers = app.engine.router.quote(&swap.inquiry()).await;
    Ok(Json(view(&swap, &answers)))
}

fn view(swap: &Swap, answers: &[Answer]) -> Quotes {
    let verdict = choose(swap, answers);
    let best = verdict.as_ref().and_then(|v| answers.get(v.index)?.result.as_ref().ok());
    let bound = best.map(|quote| limit(quote, swap.slippage_bps));
    let exact_in = swap.ask.mode == Mode::ExactIn;
    Quotes {
        input_token: swap.ask.input.to_string(),
        output_token: swap.ask.output.to_string(),
        mode: if exact_in { "exactIn" } else { "exactOut" },
        amount: swap.amount().to_string(),
        slippage_bps: swap.slippage_bps,
        best: best.map(|quote| quote.venue.to_string()),
        reason: verdict.map_or_else(|| "no venue has a quote".to_owned(), |v| v.reason),
        min_amount_out: bound.filter(|_| exact_in).map(|units| swap.output(units).to_string()),
        max_amount_in: bound.filter(|_| !exact_in).map(|units| swap.input(units).to_string()),
        quotes: answers.iter().map(|answer| quote_view(swap, answer)).collect(),
    }
}

fn quote_view(swap: &Swap, answer: &Answer) -> QuoteView {
    let quote = answer.result.as_ref().ok();
    let (amount_in, amount_out) = (quote.map(|q| swap.input(q.amount_in)), quote.map(|q| swap.output(q.amount_out)));
    QuoteView {
        venue: answer.venue.to_string(),
        millis: answer.millis,
        amount_in: amount_in.map(|a| a.to_string()),
        amount_out: amount_out.map(|a| a.to_string()),
        fee: quote.map(|q| swap.input(q.fee).to_string()),
        price_impact_bps: quote.map(|q| q.price_impact_bps),
        price: amount_in.zip(amount_out).map(|(i, o)| price(i, o)),
        bound: quote.and_then(|q| swap.bound(q)).map(|bound| bound.to_string()),
        gap_bps: quote.and_then(|q| Some(q.certificate?.gap_bps())),
        legs: quote.map_or_else(Vec::new, |q| q.legs.iter().map(LegView::from).collect()),
        error: answer
            .result
            .as_ref()
            .err()
            .map(|failure| FailureView { code: failure.code.clone(), message: failure.message.clone() }),
    }
}
