//! Problems on the wire.

use utoipa::ToSchema;

/// A problem (RFC 9457).
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: problems are rendered by the layer around all routes")]
pub(crate) struct ProblemView {
    /// Where the code is explained; with 429 the registered type.
    #[schema(rename = "type")]
    type_: String,
    /// The same for every problem of this code.
    title: String,
    /// The HTTP status.
    status: u16,
    /// This problem, for people.
    detail: String,
    /// Stable, for programs.
    code: String,
    /// The path that was asked.
    instance: String,
    /// What is wrong where.
    errors: Option<Vec<FieldProblem>>,
    /// The oldest position held (with 410).
    oldest: Option<String>,
    /// The order that exists already (with 409).
    existing: Option<String>,
    /// The limits that the request went beyond (with 429).
    #[schema(rename = "violated-policies")]
    violated_policies: Option<Vec<String>>,
    /// The request's id, also in `x-request-id`.
    request_id: String,
}

/// What is wrong at one place: exactly one of `pointer`, `parameter`, `header` is there.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: problems are rendered by the layer around all routes")]
struct FieldProblem {
    /// A JSON pointer into the body.
    pointer: Option<String>,
    /// The name of a query parameter.
    parameter: Option<String>,
    /// The name of a header.
    header: Option<String>,
    /// Stable, for programs.
    code: String,
    /// For people.
    detail: String,
}
