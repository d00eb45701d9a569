//! The terms of a trade as requests state them: parsed from a body or a query into types that cannot be wrong.

use std::borrow::Cow;
use std::sync::Arc;

use domain::amount::{self, AmountError};
use domain::swap::{Ask, Conditions, LimitPrice, LimitPriceError, Mode, Place, Side, TimeInForce};
use domain::token::{Registry, Token};
use domain::{Owner, Refusal, Timestamp};
use engine::intake::new_id;

use crate::body::Form;
use crate::problem::{At, FieldError, Known, Problem, codes};
use crate::query::Query;

/// How much worse than quoted is accepted when the request does not say, in basis points.
pub(crate) const DEFAULT_SLIPPAGE_BPS: u16 = 50;
/// The most slippage, in basis points.
const MAX_SLIPPAGE_BPS: i64 = 10_000;
/// The most price impact there is, in basis points.
const MAX_PRICE_IMPACT_BPS: u32 = 10_000;

/// Checked terms of a trade.
pub(crate) struct Terms {
    pub(crate) side: Side,
    pub(crate) ask: Ask,
    pub(crate) input_decimals: u8,
    pub(crate) output_decimals: u8,
    pub(crate) slippage_bps: u16,
}

/// Reads under which conditions an order is to trade; faults go to the form.
pub(crate) fn conditions(form: &mut Form<'_>) -> Conditions {
    let limit_price = limit_price(form);
    let time_in_force = form.text("timeInForce").and_then(|word| {
        TimeInForce::parse(&word)
            .or_else(|| form.fault("timeInForce", codes::UNSUPPORTED_TIME_IN_FORCE, "expected GTC, IOC, FOK or GTD"))
    });
    Conditions { limit_price, time_in_force: time_in_force.unwrap_or_default(), ..Conditions::default() }
}

/// The worst price that is accepted.
pub(crate) fn limit_price(form: &mut Form<'_>) -> Option<LimitPrice> {
    let text = form.amount("limitPrice")?;
    LimitPrice::parse(&text).map_or_else(
        |error| {
            let detail = match error {
                LimitPriceError::Malformed => "expected a plain decimal above zero such as \"152.5\"",
                LimitPriceError::TooPrecise => "a limit price has at most 18 decimals",
                LimitPriceError::TooLarge => "a limit price is below 10^20",
            };
            form.fault("limitPrice", codes::LIMIT_PRICE_MALFORMED, detail)
        },
        Some,
    )
}

/// The most price impact of a quote that is taken.
pub(crate) fn max_price_impact(form: &mut Form<'_>) -> Option<u32> {
    let bps = form.integer("maxPriceImpactBps")?;
    let within = u32::try_from(bps).ok().filter(|bps| *bps <= MAX_PRICE_IMPACT_BPS);
    within.or_else(|| form.fault("maxPriceImpactBps", codes::OUT_OF_RANGE, "a price impact is 0 to 10000 basis points"))
}

/// Reads the client's own id; faults go to the form.
pub(crate) fn own_id(form: &mut Form<'_>) -> Option<String> {
    let text = form.text("clientOrderId")?;
    if let Err(refusal) = client_order_id(&text) {
        let at = At::field("clientOrderId");
        form.errors.push(FieldError::new(at, codes::CLIENT_ORDER_ID_MALFORMED, refusal.message));
    }
    Some(text.into_owned())
}

/// Reads an instant; faults go to the form.
pub(crate) fn instant(form: &mut Form<'_>, name: &'static str, malformed: Known) -> Option<Timestamp> {
    let text = form.text(name)?;
    let detail = "expected an RFC 3339 instant such as 2030-01-01T00:00:00Z";
    Timestamp::parse(&text).or_else(|| form.fault(name, malformed, detail))
}

/// The terms as text, before anything is looked up.
#[derive(Default)]
struct Stated<'a> {
    input: Option<Cow<'a, str>>,
    output: Option<Cow<'a, str>>,
    amount: Option<Cow<'a, str>>,
    /// What the amount is called.
    named: &'static str,
    mode: Option<Cow<'a, str>>,
    side: Option<Cow<'a, str>>,
    slippage: Option<i64>,
}

/// Reads the terms from a body's fields; faults go to the form, and none means that there were some.
pub(crate) fn from_body(form: &mut Form<'_>, tokens: &Registry) -> Option<Terms> {
    from_body_with(form, tokens, "amount")
}

/// The same where the amount has that name.
pub(crate) fn from_body_with(form: &mut Form<'_>, tokens: &Registry, named: &'static str) -> Option<Terms> {
    let before = form.errors.len();
    let stated = Stated {
        input: form.text("inputToken"),
        output: form.text("outputToken"),
        amount: form.amount(named),
        named,
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
        named: "amount",
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
    let (conditions, firm, plan) = (Conditions::default(), None, None);
    Ok(Place {
        id,
        account,
        side,
        ask,
        input_decimals,
        output_decimals,
        slippage_bps,
        client_order_id,
        expires_at,
        conditions,
        firm,
        plan,
    })
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
    let amount = units(stated.amount.as_deref(), fixed, |known, detail| fault(stated.named, known, detail));
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
fn client_order_id(text: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    let code = codes::CLIENT_ORDER_ID_MALFORMED.code;
    Err(Refusal::at("/clientOrderId", code, "1 to 64 characters of A-Z a-z 0-9 . _ : -"))
}
