//! What bodies must be: field by field, in the order in which the original names what is wrong with them.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::{HeaderMap, StatusCode};
use drivers::venue::universal::{Chain, TOKENS};
use serde_json::json;
use serde_json::value::RawValue;

use super::Refused;
use super::zod::{self, Issues};
use crate::body::{self, Object, loose};

/// What a field must be.
#[derive(Clone, Copy)]
enum Rule {
    OneOf(&'static [&'static str]),
    Token,
    Chain,
    PairToken,
    Address(&'static str),
    Text,
    PerhapsText,
    Number,
    PerhapsNumber,
    Slippage,
}

use Rule::{Address, Number, OneOf, PairToken, PerhapsNumber, PerhapsText, Slippage, Text};

const TYPES: Rule = OneOf(&["BUY", "SELL"]);

/// A request for a quote.
const QUOTE: [(&str, Rule); 8] = [
    ("type", TYPES),
    ("token", Rule::Token),
    ("pair_token", PairToken),
    ("blockchain", Rule::Chain),
    ("user_address", Address("Invalid user address")),
    ("pair_token_amount", PerhapsText),
    ("token_amount", PerhapsText),
    ("slippage_bips", Slippage),
];

/// A signed quote.
const ORDER: [(&str, Rule); 17] = [
    ("id", Text),
    ("deadline", Text),
    ("merchant_address", Address("Invalid merchant address")),
    ("gas_fee_nominal", Text),
    ("gas_fee_dollars", Number),
    ("relayer_nonce", Number),
    ("merchant_id", Text),
    ("mode", OneOf(&["BRIDGED", "DIRECT"])),
    ("pair_token_amount", Text),
    ("user_address", Address("Invalid user address")),
    ("type", TYPES),
    ("blockchain", Rule::Chain),
    ("token", Rule::Token),
    ("token_amount", PerhapsText),
    ("pair_token", PairToken),
    ("slippage_bips", PerhapsNumber),
    ("signature", Text),
];

/// A body that is as it must be: the fields that are known, each as it came.
#[derive(Debug)]
pub(super) struct Sent<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Sent<'a> {
    /// A request for a quote.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn quote(body: Option<&'a str>) -> Result<Self, Issues> {
        let sent = Self::read(&QUOTE, body)?;
        if ["token_amount", "pair_token_amount"].iter().all(|name| sent.text(name).is_none_or(|text| text.is_empty())) {
            let message = "Either token_amount or pair_token_amount must be provided";
            return Err(Issues(vec![zod::custom(&json!(["token_amount", "pair_token_amount"]), message)]));
        }
        Ok(sent)
    }

    /// A signed quote.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn order(body: Option<&'a str>) -> Result<Self, Issues> {
        Self::read(&ORDER, body)
    }

    /// A field's text; none where there is none.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.0.iter().find(|(known, _)| *known == name).and_then(|(_, raw)| loose::text(raw))
    }

    /// The same as JSON, without what is not known.
    pub(super) fn json(&self) -> String {
        let mut text = String::from("{");
        for (place, (name, raw)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\"{name}\":{raw}");
        }
        text.push('}');
        text
    }

    fn read(schema: &[(&'static str, Rule)], body: Option<&'a str>) -> Result<Self, Issues> {
        let object = body.filter(|body| body.starts_with('{')).and_then(|body| Object::loose(body).ok());
        let Some(Object(object)) = object else {
            return Err(Issues(vec![zod::type_(&json!([]), "object", body)]));
        };
        let (mut fields, mut issues) = (Vec::new(), Issues::default());
        for (name, rule) in schema {
            // Of a field that stands there twice the last counts, as in JavaScript.
            let raw = object.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| raw.get());
            issues.0.extend(rule.issue(name, raw));
            fields.extend(raw.map(|raw| (*name, raw)));
        }
        if issues.0.is_empty() { Ok(Self(fields)) } else { Err(issues) }
    }
}

impl Rule {
    fn issue(self, name: &str, raw: Option<&str>) -> Option<serde_json::Value> {
        match self {
            OneOf(options) => zod::one_of(name, options, raw),
            Rule::Token => zod::one_of(name, &TOKENS.iter().map(|token| token.name).collect::<Vec<_>>(), raw),
            Rule::Chain => zod::one_of(name, &Chain::EVM.map(Chain::as_str), raw),
            PairToken => zod::pair_token(name, raw),
            Address(message) => zod::address(&json!([name]), message, raw),
            PerhapsText | PerhapsNumber | Slippage if raw.is_none() => None,
            Text | PerhapsText => zod::string(name, raw),
            Number | PerhapsNumber => zod::number(name, raw),
            Slippage => zod::slippage(name, raw),
        }
    }
}

/// The JSON of a body as the original's parser leaves it: an object or a list; none where there is no body, or one of another type.
///
/// # Errors
/// 400: it is called JSON and is none, or is neither object nor list.
pub(super) fn parsed<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<Option<&'a str>, Refused> {
    let is_json = body::media_type(headers).is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    if !is_json || bytes.is_empty() {
        return Ok(None);
    }
    let bad = || Refused::new(StatusCode::BAD_REQUEST, "Invalid JSON: expected an object");
    let text = std::str::from_utf8(bytes).map_err(|_| bad())?;
    let whole: &RawValue = serde_json::from_str(text).map_err(|_| bad())?;
    Some(whole.get()).filter(|json| json.starts_with(['{', '['])).map(Some).ok_or_else(bad)
}
