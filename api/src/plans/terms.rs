//! From a request's bytes to a plan that is to be made.

use domain::Owner;
use domain::plan::Make;
use domain::swap::{Conditions, Mode, Side};
use domain::token::Registry;
use engine::intake::new_id;

use crate::body::Form;
use crate::problem::{Problem, codes};
use crate::terms;

/// Amounts have fewer digits of base units.
const TOO_LARGE: u128 = 10_u128.pow(38);

/// The plan in the body of `POST /v1/plans`.
///
/// # Errors
/// Every fault of the body at once; 400 when any is one of form, else 422.
pub(super) fn parse(body: &[u8], account: Owner, tokens: &Registry) -> Result<Make, Problem> {
    let mut form = Form::parse(body)?;
    let all = form.has("total");
    if all && form.has("amount") {
        form.fault::<()>("total", codes::UNKNOWN_CHOICE, "either amount, of each slice, or total");
    }
    let terms = terms::from_body_with(&mut form, tokens, if all { "total" } else { "amount" });
    if all {
        // Not unknown, and said already.
        let _ = form.amount("amount");
    }
    if terms.as_ref().is_some_and(|terms| terms.ask.mode == Mode::ExactOut) {
        form.fault::<()>("mode", codes::UNKNOWN_CHOICE, "a plan pays fixed amounts: exactIn");
    }
    let slices = form.needed("slices", Form::integer).map(bounded);
    let every_seconds = form.needed("everySeconds", Form::integer).map(bounded);
    let limit_price = terms::limit_price(&mut form);
    let impact = terms::max_price_impact(&mut form);
    let client_order_id = terms::own_id(&mut form);
    let starts_at = terms::instant(&mut form, "startsAt", codes::TIME_MALFORMED);
    let total = terms.as_ref().zip(slices).and_then(|(terms, slices)| {
        let total = if all { Some(terms.ask.amount) } else { terms.ask.amount.checked_mul(slices.into()) };
        let fits = total.filter(|total| *total < TOO_LARGE);
        fits.or_else(|| form.fault("amount", codes::AMOUNT_TOO_LARGE, "all slices together are too large"))
    });
    form.finish()?;
    let complete = terms.zip(total).zip(slices.zip(every_seconds));
    let Some(((terms, total), (slices, every_seconds))) = complete else {
        return Err(Problem::new(codes::REFUSED, "the terms are incomplete"));
    };
    Ok(Make {
        id: new_id(),
        account,
        side: terms.side,
        input: terms.ask.input,
        input_decimals: terms.input_decimals,
        output: terms.ask.output,
        output_decimals: terms.output_decimals,
        total,
        slices,
        every_seconds,
        slippage_bps: terms.slippage_bps,
        conditions: Conditions { limit_price, max_price_impact_bps: impact, ..Conditions::default() },
        client_order_id,
        starts_at,
    })
}

/// All that a plan says, defaults filled in: the same said otherwise is the same plan.
pub(super) fn said(make: &Make) -> String {
    let Make { input, output, total, slices, every_seconds, slippage_bps, client_order_id, starts_at, .. } = make;
    let side = if make.side == Side::Buy { "buy" } else { "sell" };
    let Conditions { limit_price, max_price_impact_bps, .. } = &make.conditions;
    format!(
        "{side} {input} {output} {total} {slices} {every_seconds} {slippage_bps} {:?} {max_price_impact_bps:?} \
         {client_order_id:?} {:?}",
        limit_price.map(|price| price.to_string()),
        starts_at.map(|at| at.0)
    )
}

/// What does not fit is beyond every bound, on whichever side it was.
fn bounded(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
