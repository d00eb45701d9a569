//! What clients send, read as Ajv reads it with Fastify's settings: types are coerced, defaults filled in, unknown fields passed
//! over, and the first fault is the answer. Numbers stay exact: no float is made of an amount.

use std::borrow::Cow;

use axum::extract::Query;
use axum::http::Uri;
use domain::shop::{Status, Wanted};
use serde_json::value::RawValue;

use crate::body::{Object, loose};
use crate::facades::dex::decimal::plain;

/// So far an offset may lead: every order before the page is read.
const MOST_OFFSET: i64 = 10_000;
/// The decimals of an amount.
const DECIMALS: u8 = 2;

/// A new order as a client sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) items: Vec<Wanted>,
}

/// Which page of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) status: Option<Status>,
    pub(super) limit: usize,
    pub(super) offset: u64,
}

/// A new order; none where the schema, or the form of an amount, says no.
pub(super) fn ordered(body: &str) -> Option<Ordered> {
    let fields = object(body)?;
    let name = string(field(&fields, "customer_name")?).filter(|name| !name.is_empty())?;
    let email = string(field(&fields, "customer_email")?)?;
    let items = field(&fields, "items")?;
    let items: Vec<&RawValue> = serde_json::from_str(items).ok()?;
    let items: Option<Vec<Wanted>> = items.into_iter().map(|item| wanted(item.get())).collect();
    Some(Ordered { name, email, items: items.filter(|items| !items.is_empty())? })
}

fn wanted(item: &str) -> Option<Wanted> {
    let fields = object(item)?;
    Some(Wanted {
        product_id: string(field(&fields, "product_id")?)?,
        name: string(field(&fields, "product_name")?)?,
        quantity: integer(field(&fields, "quantity")?).filter(|quantity| *quantity >= 1)?,
        unit_price: amount(field(&fields, "unit_price")?)?,
    })
}

/// The state that an order is to be in.
pub(super) fn status(body: &str) -> Option<Status> {
    Status::parse_shown(&string(field(&object(body)?, "status")?)?)
}

/// Which page of the list is asked for.
///
/// # Errors
/// What the validator says.
pub(super) fn listed(uri: &Uri) -> Result<Listed, &'static str> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    // A parameter that stands there twice is a list, which is neither a text nor a number.
    let one = |wanted: &str| {
        let mut values = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        (values.next(), values.next().is_some())
    };
    let status = match one("status") {
        (_, true) => return Err("querystring/status must be string"),
        (None, _) => None,
        (Some(word), _) => {
            let known = Status::parse_shown(word);
            Some(known.ok_or("querystring/status must be equal to one of the allowed values")?)
        }
    };
    let number = |name: &str| match one(name) {
        (_, true) => Some(Err(())),
        (value, _) => value.map(|text| whole(text).ok_or(())),
    };
    let limit = match number("limit") {
        None => 20,
        Some(Err(())) => return Err("querystring/limit must be integer"),
        Some(Ok(limit)) if limit > 100 => return Err("querystring/limit must be <= 100"),
        Some(Ok(limit)) => {
            usize::try_from(limit).ok().filter(|limit| *limit >= 1).ok_or("querystring/limit must be >= 1")?
        }
    };
    let offset = match number("offset") {
        None => 0,
        Some(Err(())) => return Err("querystring/offset must be integer"),
        Some(Ok(offset)) if offset > MOST_OFFSET => return Err("querystring/offset must be <= 10000"),
        Some(Ok(offset)) => u64::try_from(offset).map_err(|_| "querystring/offset must be >= 0")?,
    };
    Ok(Listed { status, limit, offset })
}

/// An object's fields; of one that stands there twice the last counts, as in JavaScript.
fn object(raw: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let raw = raw.trim_ascii();
    let Object(fields) = Some(raw).filter(|raw| raw.starts_with('{')).and_then(|raw| Object::loose(raw).ok())?;
    Some(fields.into_iter().map(|(name, value)| (name, value.get())).collect())
}

fn field<'a>(fields: &[(Cow<'_, str>, &'a str)], wanted: &str) -> Option<&'a str> {
    fields.iter().rev().find(|(name, _)| name == wanted).map(|(_, raw)| *raw)
}

/// The one value of a list that has one, which stands for it where no list is wanted.
fn scalar(raw: &str) -> &str {
    if !raw.starts_with('[') {
        return raw;
    }
    match serde_json::from_str::<Vec<&RawValue>>(raw).as_deref() {
        Ok([one]) => one.get(),
        _ => raw,
    }
}

fn string(raw: &str) -> Option<String> {
    match scalar(raw) {
        "null" => Some(String::new()),
        word @ ("true" | "false") => Some(word.to_owned()),
        raw if raw.starts_with('"') => loose::text(raw).map(Cow::into_owned),
        raw if raw.starts_with(['{', '[']) => None,
        // As JavaScript writes the number.
        raw => Some(raw.parse::<f64>().map_or_else(|_| raw.to_owned(), |number| number.to_string())),
    }
}

/// A number as plain decimal text, and whether it is negative.
fn decimal(raw: &str) -> Option<(bool, String)> {
    let text = match scalar(raw) {
        "null" | "false" => Cow::Borrowed("0"),
        "true" => Cow::Borrowed("1"),
        raw if raw.starts_with('"') => loose::text(raw)?,
        raw => Cow::Borrowed(raw),
    };
    number(&text)
}

fn number(text: &str) -> Option<(bool, String)> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    // A text within a text is none.
    let plain = Some(digits).filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit())).and_then(plain)?;
    let zero = plain.bytes().all(|b| b"0.".contains(&b));
    Some((negative && !zero, plain))
}

fn integer(raw: &str) -> Option<i64> {
    to_integer(decimal(raw)?)
}

/// A whole number in a query.
fn whole(text: &str) -> Option<i64> {
    to_integer(number(text)?)
}

/// What does not fit is the nearest that does.
fn to_integer((negative, plain): (bool, String)) -> Option<i64> {
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if fraction.bytes().any(|b| b != b'0') {
        return None;
    }
    let number = whole.trim_start_matches('0');
    let number = if number.is_empty() { 0 } else { number.parse().unwrap_or(i64::MAX) };
    Some(if negative { -number } else { number })
}

/// An amount in minor units, if it is not negative and has no more decimals than there are.
fn amount(raw: &str) -> Option<i64> {
    let (negative, plain) = decimal(raw)?;
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let fraction = fraction.trim_end_matches('0');
    if negative || fraction.len() > usize::from(DECIMALS) {
        return None;
    }
    let minor = format!("{whole}{fraction:0<width$}", width = usize::from(DECIMALS));
    // What is too much for the type is too much for an order.
    Some(minor.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(name: &str, email: &str, items: &str) -> String {
        format!(r#"{{"customer_name":{name},"customer_email":{email},"items":{items},"more":1}}"#)
    }

    fn item(quantity: &str, price: &str) -> String {
        format!(r#"[{{"product_id":7,"product_name":"Mug","quantity":{quantity},"unit_price":{price}}}]"#)
    }

    #[test]
    fn types_are_coerced_and_amounts_stay_exact() {
        for (quantity, price, read) in [
            ("3", "12.34", Some((3, 1_234))),
            ("\"3\"", "\"12.3\"", Some((3, 1_230))),
            ("3.0", "1e2", Some((3, 10_000))),
            ("true", "null", Some((1, 0))),
            ("[3]", "[0.1]", Some((3, 10))),
            ("1e2", "12.3400", Some((100, 1_234))),
            ("1", "-0", Some((1, 0))),
            ("1", "9007199254740993", Some((1, 900_719_925_474_099_300))),
            ("1", "0.001", None),
            ("1", "12.345", None),
            ("1", "-0.01", None),
            ("0", "1", None),
            ("-1", "1", None),
            ("1.5", "1", None),
            ("\"\"", "1", None),
            ("\"x\"", "1", None),
            ("null", "1", None),
            ("[1,2]", "1", None),
            ("{}", "1", None),
            ("1", "\"1,5\"", None),
        ] {
            let ordered = ordered(&body("\"Ada\"", "\"ada@example.org\"", &item(quantity, price)));
            let found = ordered.map(|ordered| (ordered.items[0].quantity, ordered.items[0].unit_price));
            assert_eq!(found, read, "{quantity} {price}");
        }
        let sent = ordered(&body("5.50", "true", &item("1", "1"))).expect("coerced");
        assert_eq!((&*sent.name, &*sent.email, &*sent.items[0].product_id), ("5.5", "true", "7"));
    }

    #[test]
    fn what_is_needed_must_be_there() {
        let one = item("1", "1");
        for wrong in [
            "{}".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            "\"text\"".to_owned(),
            body("\"\"", "\"a@b.c\"", &one),
            body("null", "\"a@b.c\"", &one),
            body("{}", "\"a@b.c\"", &one),
            body("\"Ada\"", "\"a@b.c\"", "[]"),
            body("\"Ada\"", "\"a@b.c\"", "{}"),
            body("\"Ada\"", "\"a@b.c\"", "[{}]"),
            body("\"Ada\"", "\"a@b.c\"", "[1]"),
        ] {
            assert_eq!(ordered(&wrong), None, "{wrong}");
        }
        for (sent, read) in [
            (r#"{"status":"COMPLETED"}"#, Some(Status::Completed)),
            (r#"{"status":["PENDING"]}"#, Some(Status::Pending)),
            (r#"{"status":"completed"}"#, None),
            (r#"{"status":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(status(sent), read, "{sent}");
        }
    }

    #[test]
    fn queries_are_read_or_said_to_be_wrong_in_the_recorded_words() {
        let page = |status, limit, offset| Ok(Listed { status, limit, offset });
        for (query, read) in [
            ("", page(None, 20, 0)),
            ("?limit=5&offset=7&status=PENDING&other=1", page(Some(Status::Pending), 5, 7)),
            ("?limit=100.0&offset=1e3", page(None, 100, 1_000)),
            ("?limit=0", Err("querystring/limit must be >= 1")),
            ("?limit=-5", Err("querystring/limit must be >= 1")),
            ("?limit=101", Err("querystring/limit must be <= 100")),
            ("?limit=99999999999999999999", Err("querystring/limit must be <= 100")),
            ("?limit=abc", Err("querystring/limit must be integer")),
            ("?limit=1.5", Err("querystring/limit must be integer")),
            ("?limit=", Err("querystring/limit must be integer")),
            ("?limit=1&limit=2", Err("querystring/limit must be integer")),
            ("?offset=-1", Err("querystring/offset must be >= 0")),
            ("?offset=x", Err("querystring/offset must be integer")),
            ("?status=pending", Err("querystring/status must be equal to one of the allowed values")),
            ("?limit=0&status=x", Err("querystring/status must be equal to one of the allowed values")),
        ] {
            assert_eq!(listed(&format!("/api/orders{query}").parse().unwrap()), read, "{query}");
        }
    }
}
