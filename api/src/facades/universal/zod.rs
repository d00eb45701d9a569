//! The checks of zod 4, the validation library behind the original: what it says about a value that is not as it should be,
//! word for word.

use serde_json::{Value, json};

use crate::body::loose;

/// Everything that is wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Issues(pub(super) Vec<Value>);

/// What zod calls the type of a value; of none, `undefined`.
pub(super) fn kind(raw: Option<&str>) -> &'static str {
    match raw.map(|raw| raw.as_bytes().first().copied().unwrap_or_default()) {
        None => "undefined",
        Some(b'"') => "string",
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        Some(_) => "number",
    }
}

/// A value of another type than `expected`.
pub(super) fn type_(path: &Value, expected: &str, raw: Option<&str>) -> Value {
    let message = format!("Invalid input: expected {expected}, received {}", kind(raw));
    json!({"expected": expected, "code": "invalid_type", "path": path, "message": message})
}

/// Our own rules say no.
pub(super) fn custom(path: &Value, message: &str) -> Value {
    json!({"code": "custom", "path": path, "message": message})
}

/// `z.enum([…])`
pub(super) fn one_of(name: &str, options: &[&str], raw: Option<&str>) -> Option<Value> {
    if raw.and_then(loose::text).is_some_and(|text| options.contains(&&*text)) {
        return None;
    }
    let quoted: Vec<String> = options.iter().map(|option| format!("\"{option}\"")).collect();
    let message = format!("Invalid option: expected one of {}", quoted.join("|"));
    Some(json!({"code": "invalid_value", "values": options, "path": [name], "message": message}))
}

/// `z.string()`
pub(super) fn string(name: &str, raw: Option<&str>) -> Option<Value> {
    raw.and_then(loose::text).is_none().then(|| type_(&json!([name]), "string", raw))
}

/// `z.string().regex(/^0x[a-fA-F0-9]{40}$/, message)`
pub(super) fn address(path: &Value, message: &str, raw: Option<&str>) -> Option<Value> {
    let Some(text) = raw.and_then(loose::text) else { return Some(type_(path, "string", raw)) };
    let digits = text.strip_prefix("0x").unwrap_or_default();
    let matches = digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (!matches).then(|| {
        let pattern = "/^0x[a-fA-F0-9]{40}$/";
        json!({"origin": "string", "code": "invalid_format", "format": "regex", "pattern": pattern, "path": path, "message": message})
    })
}

/// `z.union([z.literal('USDC'), z.string().regex(…, 'Invalid token address')])`
pub(super) fn pair_token(name: &str, raw: Option<&str>) -> Option<Value> {
    if raw.and_then(loose::text).is_some_and(|text| text == "USDC") {
        return None;
    }
    let second = address(&json!([]), "Invalid token address", raw)?;
    let first =
        json!({"code": "invalid_value", "values": ["USDC"], "path": [], "message": "Invalid input: expected \"USDC\""});
    Some(json!({"code": "invalid_union", "errors": [[first], [second]], "path": [name], "message": "Invalid input"}))
}

/// `z.number()`
pub(super) fn number(name: &str, raw: Option<&str>) -> Option<Value> {
    if kind(raw) != "number" {
        return Some(type_(&json!([name]), "number", raw));
    }
    // JavaScript reads what is too large as infinity, and zod wants none.
    let finite = raw.and_then(|raw| raw.parse::<f64>().ok()).is_some_and(f64::is_finite);
    (!finite).then(|| {
        let message = "Invalid input: expected number, received number";
        json!({"expected": "number", "code": "invalid_type", "received": "Infinity", "path": [name], "message": message})
    })
}

/// `z.number().min(0, …).max(10000, …)`
pub(super) fn slippage(name: &str, raw: Option<&str>) -> Option<Value> {
    if let Some(issue) = number(name, raw) {
        return Some(issue);
    }
    let value = raw.and_then(|raw| raw.parse::<f64>().ok()).unwrap_or_default();
    let beyond = |code: &str, limit: &str, at: u32, message: &str| {
        Some(
            json!({"origin": "number", "code": code, limit: at, "inclusive": true, "path": [name], "message": message}),
        )
    };
    match value {
        value if value < 0.0 => beyond("too_small", "minimum", 0, "Slippage must be positive"),
        value if value > 10_000.0 => beyond("too_big", "maximum", 10_000, "Slippage must be less than 10000 bips"),
        _ => None,
    }
}
