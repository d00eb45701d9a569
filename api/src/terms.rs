//! The terms of a trade as requests state them: parsed from a body or a query into types that cannot be wrong.

use std::borrow::Cow;
use std::sync::Arc;

use domain::amount::{self, AmountError};
use domain::swap::{Ask, Mode, Place, Side};
use domain::token::{Registry, Token};
use domain::{Owner, Refusal};
use engine::intake::new_id;

use crate::body::Form;
use crate::problem::{At, FieldError, Known, Problem, codes};
use crate::query::Query;

/// How much worse than quoted is accepted when the request does not say, in basis points.
pub(crate) const DEFAULT_SLIPPAGE_BPS: u16 = 50;
/// The most slippage, in basis points.
const MAX_SLIPPAGE_BPS: i64 = 10_000;

/// Checked terms of a trade.
pub(crate) struct Terms {
    pub(crate) side: Side,
    pub(crate) ask: Ask,
    pub(crate) input_decimals: u8,
    pub(crate) output_decimals: u8,
    pub(crate) slippage_bps: u16,
}

/// The terms as text, before anything is looked up.
#[derive(Default)]
struct Stated<'a> {
    input: Option<Cow<'a, str>>,
    output: Option<Cow<'a, str>>,
    amount: Option<Cow<'a, str>>,
    mode: Option<Cow<'a, str>>,
    side: Option<Cow<'a, str>>,
    slippage: Option<i64>,
}

/// Reads the terms from a body's fields; faults go to the form, and none means that there were some.
pub(crate) fn from_body(form: &mut Form<'_>, tokens: &Registry) -> Option<Terms> {
    let before = form.errors.len();
    let stated = Stated {
        input: form.text("inputToken"),
        output: form.text("outputToken"),
        amount: form.amount("amount"),
        mode: form.text("mode"),
        side: form.text("side"),
        slippage: form.integer("slippageBps"),
    };
    // A field of the wrong type has said so already: it is not missing as well.
    let faulty = form.errors.len() > before;
    let mut errors = Vec::new();
    let terms = check(&stated, tokens, At::field, &mut errors);
    if faulty {
        errors.retain(|e| e.code() != codes::FIELD_MISSING.code);
    }
    form.errors.append(&mut errors);
    terms.filter(|_| form.errors.len() == before)
}

/// Reads the terms from a query's parameters, likewise.
pub(crate) fn from_query(query: &mut Query, tokens: &Registry) -> Option<Terms> {
    let slippage = query.one("slippageBps");
    let number = slippage.as_ref().map(|text| text.parse::<u16>());
    if matches!(number, Some(Err(_))) {
        query.fault("slippageBps", "expected an integer from 0 to 10000");
    }
    let stated = Stated {
        input: query.one("inputToken").map(Cow::Owned),
        output: query.one("outputToken").map(Cow::Owned),
        amount: query.one("amount").map(Cow::Owned),
        mode: query.one("mode").map(Cow::Owned),
        side: query.one("side").map(Cow::Owned),
        slippage: number.and_then(Result::ok).map(i64::from),
    };
    check(&stated, tokens, At::parameter, &mut query.errors).filter(|_| query.errors.is_empty())
}

/// A new order of `account` on these terms, which are there when the request had no faults.
///
/// # Errors
/// `REFUSED` when they are not.
pub(crate) fn place(terms: Option<Terms>, account: Owner) -> Result<Place, Problem> {
    let terms = terms.ok_or_else(|| Problem::new(codes::REFUSED, "the terms are incomplete"))?;
    let Terms { side, ask, input_decimals, output_decimals, slippage_bps } = terms;
    let (id, client_order_id, expires_at) = (new_id(), None, None);
    Ok(Place { id, account, side, ask, input_decimals, output_decimals, slippage_bps, client_order_id, expires_at })
}

fn check(stated: &Stated<'_>, tokens: &Registry, at: fn(&str) -> At, errors: &mut Vec<FieldError>) -> Option<Terms> {
    let mut fault = |name: &str, known: Known, detail: Cow<'static, str>| {
        errors.push(FieldError::new(at(name), known, detail));
    };
    let mode = match stated.mode.as_deref() {
        None | Some("exactIn") => Mode::ExactIn,
        Some("exactOut") => Mode::ExactOut,
        Some(_) => {
            fault("mode", codes::UNKNOWN_CHOICE, "expected exactIn or exactOut".into());
            Mode::ExactIn
        }
    };
    let side = match (stated.side.as_deref(), mode) {
        (Some("sell"), _) | (None, Mode::ExactIn) => Side::Sell,
        (Some("buy"), _) | (None, Mode::ExactOut) => Side::Buy,
        (Some(_), _) => {
            fault("side", codes::UNKNOWN_CHOICE, "expected sell or buy".into());
            Side::Sell
        }
    };
    let slippage_bps = stated.slippage.unwrap_or(i64::from(DEFAULT_SLIPPAGE_BPS));
    if !(0..=MAX_SLIPPAGE_BPS).contains(&slippage_bps) {
        fault("slippageBps", codes::SLIPPAGE_OUT_OF_RANGE, "slippage is 0 to 10000 basis points".into());
    }
    let mut token = |name: &str, symbol: &Option<Cow<'_, str>>| {
        let Some(symbol) = symbol else {
            fault(name, codes::FIELD_MISSING, "the field is required".into());
            return None;
        };
        let token = tokens.get(symbol);
        if token.is_none() {
            fault(name, codes::UNKNOWN_TOKEN, "no such token; GET /v1/tokens lists them".into());
        }
        token
    };
    let (input, output) = (token("inputToken", &stated.input), token("outputToken", &stated.output));
    if input.zip(output).is_some_and(|(i, o)| i.mint == o.mint) {
        fault("outputToken", codes::SAME_TOKEN, "input and output are the same token".into());
    }
    let fixed = if mode == Mode::ExactIn { input } else { output };
    let amount = units(stated.amount.as_deref(), fixed, |known, detail| fault("amount", known, detail));
    let (input, output, amount) = (input?, output?, amount?);
    Some(Terms {
        side,
        ask: Ask { input: Arc::clone(&input.symbol), output: Arc::clone(&output.symbol), mode, amount },
        input_decimals: input.decimals,
        output_decimals: output.decimals,
        slippage_bps: u16::try_from(slippage_bps).ok()?,
    })
}

fn units(text: Option<&str>, token: Option<&Token>, mut fault: impl FnMut(Known, Cow<'static, str>)) -> Option<u128> {
    let Some(text) = text else {
        fault(codes::FIELD_MISSING, "the field is required".into());
        return None;
    };
    // Without a token only the form can be judged.
    let decimals = token.map_or(amount::MAX_DECIMALS, |t| t.decimals);
    match amount::parse(text, decimals) {
        Ok(0) => fault(codes::AMOUNT_NOT_POSITIVE, "the amount must be above zero".into()),
        Ok(units) => return Some(units),
        Err(AmountError::Malformed) => {
            fault(codes::AMOUNT_MALFORMED, "expected a plain positive decimal such as \"12.5\"".into());
        }
        Err(AmountError::TooPrecise) => {
            fault(codes::AMOUNT_TOO_PRECISE, format!("at most {decimals} decimals here").into());
        }
        Err(AmountError::TooLarge) => fault(codes::AMOUNT_TOO_LARGE, "the amount is too large".into()),
    }
    None
}

/// Whether a client's own order id has its form: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
///
/// # Errors
/// `CLIENT_ORDER_ID_MALFORMED`.
pub(crate) fn client_order_id(text: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    let code = codes::CLIENT_ORDER_ID_MALFORMED.code;
    Err(Refusal::at("/clientOrderId", code, "1 to 64 characters of A-Z a-z 0-9 . _ : -"))
}
