//! The front page: what this is, where to go, one order to watch. Self-contained.

use axum::response::Html;

use crate::problem::codes;

/// `GET /`.
pub(crate) async fn page() -> Html<&'static str> {
    Html(include_str!("start_page.html"))
}

/// `GET /problems`: what the codes mean; the `type` of every problem points here.
pub(crate) async fn problems() -> Html<String> {
    Html(codes::page())
}
