//! What every answer carries: the headers of helmet 8 by default, and that pages of any origin may read it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The defaults of helmet 8 (helmetjs.github.io, "HTTP header reference"), but for one directive: without
/// `upgrade-insecure-requests`, because a page served without TLS would ask for its scripts with it and find nothing.
const HELMET: [(HeaderName, &str); 11] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';\
         img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';\
         style-src 'self' https: 'unsafe-inline'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    (HeaderName::from_static("x-download-options"), "noopen"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    (header::X_XSS_PROTECTION, "0"),
];

/// Adds them; `x-content-type-options` comes from the layer around all routes.
pub(super) fn add(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in HELMET {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// The same for a layer.
pub(super) async fn on(mut response: Response) -> Response {
    add(&mut response);
    response
}

/// The answer to a browser that asks what a page of another origin may do. The methods are those that there are.
pub(super) fn preflight(sent: &HeaderMap) -> Response {
    let asks = sent.contains_key(header::ORIGIN) && sent.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/plain")], "Invalid Preflight Request")
            .into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    if let Some(wanted) = sent.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}
