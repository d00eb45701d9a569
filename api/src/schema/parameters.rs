//! Parameters that many operations take, each described once.

use utoipa::IntoParams;

/// On whose account.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used: headers are read one by one")]
pub(crate) struct Acting {
    /// The account to act for. When absent: that of the key, or `default` on a server without keys. Only an admin's key may
    /// name another than its own.
    #[param(rename = "x-account", pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    account: Option<String>,
}

/// A write that may be repeated.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used: headers are read one by one")]
pub(crate) struct Keyed {
    /// Repeated with the same key and the same request within 24 hours, the request is answered as the first time, with
    /// `Idempotent-Replayed: true`, and nothing is done twice. 1 to 255 printable ASCII characters, bare or as a quoted string.
    #[param(
        rename = "Idempotency-Key",
        pattern = r#"^(?:[!#-~](?:[ !#-~]{0,253}[!#-~])?|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$"#
    )]
    key: Option<String>,
}

/// A write to what the caller has read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used: headers are read one by one")]
pub(crate) struct AtVersion {
    /// Only if it is still at this version: the `ETag` of what was read, one and not several; `*` is any version.
    #[param(rename = "If-Match", pattern = "^[^,]*$")]
    tag: Option<String>,
}

/// A write that overwrites what the caller has read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used: headers are read one by one")]
pub(crate) struct MustNameVersion {
    /// Only if it is still at this version: the `ETag` of what was read, one and not several; `*` is any version.
    #[param(rename = "If-Match", pattern = "^[^,]*$")]
    tag: String,
}

/// A read of what the caller may know already.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used: headers are read one by one")]
pub(crate) struct UnlessKnown {
    /// The version already known, as the `ETag` said it: while it is still the newest, the answer is 304 without a body.
    #[param(rename = "If-None-Match")]
    tag: Option<String>,
}

/// A page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used: parameters are read one by one")]
pub(crate) struct Paged {
    /// At most so many: 1 to 100, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Where the previous page ended: its `nextCursor`, together with the same filters.
    cursor: Option<String>,
}

/// A history from a version on.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used: parameters are read one by one")]
pub(crate) struct AfterVersion {
    /// Only those that follow this version; 0, from the first, by default.
    #[param(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)]
    after: Option<u64>,
}
