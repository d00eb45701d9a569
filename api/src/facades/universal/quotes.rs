//! `GET` and `POST /quote`: what the venue would fill an order at, until when.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use drivers::venue::universal::NAME;

use super::schema::{Sent, parsed};
use super::{Refused, success};
use crate::body;
use crate::routes::App;

/// What the original asks for when nothing is said: a whole ether sold.
const FIXED: &str = r#"{"type":"SELL","token":"ETH","token_amount":"1000000000000000000","pair_token":"USDC","blockchain":"BASE","user_address":"0x1111111111111111111111111111111111111111","slippage_bips":100}"#;

/// A quote for the fixed request.
pub(super) async fn fixed(State(app): State<Arc<App>>) -> Result<Response, Refused> {
    quote(&app, FIXED).await
}

/// A quote for what the body asks.
pub(super) async fn asked(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refused> {
    let headers = request.headers().clone();
    let bytes = body::read(request, app.settings.body_limit).await?;
    let sent =
        Sent::quote(parsed(&headers, &bytes)?).map_err(|issues| Refused::invalid("Invalid request data", issues))?;
    quote(&app, &sent.json()).await
}

async fn quote(app: &App, request: &str) -> Result<Response, Refused> {
    match app.engine.router.firm_quote(NAME, request).await {
        Ok(quote) => Ok(success(&quote)),
        Err(why) => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, &why.message)),
    }
}
