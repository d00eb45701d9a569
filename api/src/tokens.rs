//! `GET /v1/tokens`: what can be traded here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::routes::App;
use crate::schema::{TokenView, Tokens};

/// The tokens that can be traded, by symbol.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "tokensList", tag = "quotes",
    responses((status = 200, description = "Every token of this installation.", body = Tokens)))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Tokens> {
    let view = |t: &domain::token::Token| TokenView {
        symbol: t.symbol.to_string(),
        mint: t.mint.clone(),
        decimals: t.decimals,
        native: t.is_native(),
        settlement: t.settlement,
    };
    Json(Tokens { data: app.engine.tokens.all().map(view).collect() })
}
