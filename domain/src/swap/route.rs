//! The choice between quotes, and what it binds the venue to.

use std::sync::Arc;

use super::{Failure, Mode, Quote, Swap};

/// What one venue answered when all were asked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The venue's name.
    pub venue: Arc<str>,
    /// Its quote, or why there is none.
    pub result: Result<Quote, Failure>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// Which answer won, and why, in a sentence for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Index into the answers.
    pub index: usize,
    /// For people.
    pub reason: String,
}

/// Holds every quote against what a router among the answers has proved: its bound is over all pools that it knows, those of
/// the exchanges beside it included, so it says of their quotes too how good they are at least.
pub fn prove(answers: &mut [Answer]) {
    let quotes = answers.iter().filter_map(|answer| answer.result.as_ref().ok());
    let Some(bound) = quotes.filter_map(|quote| quote.certificate).map(|certificate| certificate.bound).next() else {
        return;
    };
    for quote in answers.iter_mut().filter_map(|answer| answer.result.as_mut().ok()) {
        quote.certificate = quote.certificate.or_else(|| quote.against(bound));
    }
}

/// Chooses the quote that gives the trader more: the larger output for a fixed input, the smaller input for a fixed
/// output, fees and price impact included; of those with no more price impact than it accepts. Equal ones: an exchange before a router, the smaller impact, then the order of
/// the answers.
#[must_use]
pub fn choose(swap: &Swap, answers: &[Answer]) -> Option<Verdict> {
    let within = |quote: &&Quote| is_within(swap, quote);
    let quotes =
        || answers.iter().enumerate().filter_map(|(i, a)| a.result.as_ref().ok().filter(within).map(|q| (i, q)));
    let rank = |q: &Quote| match q.ask.mode {
        Mode::ExactIn => (u128::MAX - q.amount_out, !q.is_of_an_exchange(), q.price_impact_bps),
        Mode::ExactOut => (q.amount_in, !q.is_of_an_exchange(), q.price_impact_bps),
    };
    let (index, best) = quotes().min_by_key(|(i, q)| (rank(q), *i))?;
    let second = quotes().filter(|(i, _)| *i != index).min_by_key(|(i, q)| (rank(q), *i)).map(|(_, q)| q);
    Some(Verdict { index, reason: reason(swap, best, second) })
}

/// Whether a quote has no more price impact than the order accepts.
fn is_within(swap: &Swap, quote: &Quote) -> bool {
    swap.conditions.max_price_impact_bps.is_none_or(|most| quote.price_impact_bps <= most)
}

/// Why no other attempt is worth it where nothing could be chosen: every venue that trades this has answered, and each of their
/// quotes has more price impact than the order accepts. None where one of them may give another answer next time.
#[must_use]
pub fn too_much_impact(swap: &Swap, answers: &[Answer]) -> Option<Failure> {
    let most = swap.conditions.max_price_impact_bps?;
    let quotes = || answers.iter().filter_map(|answer| answer.result.as_ref().ok());
    let open = |answer: &Answer| answer.result.as_ref().is_err_and(|failure| failure.code != "NO_ROUTE");
    if quotes().any(|quote| is_within(swap, quote)) || answers.iter().any(open) {
        return None;
    }
    let least = quotes().map(|quote| quote.price_impact_bps).min()?;
    let message = format!("the least price impact offered is {least} basis points; the order accepts {most}");
    Some(Failure { code: "PRICE_IMPACT_TOO_HIGH".to_owned(), message })
}

fn reason(swap: &Swap, best: &Quote, second: Option<&Quote>) -> String {
    let Some(second) = second else {
        let limited = if swap.conditions.max_price_impact_bps.is_some() { " within the price impact" } else { "" };
        return format!("{} was the only venue with a quote{limited}", best.venue);
    };
    if (best.amount_in, best.amount_out) == (second.amount_in, second.amount_out) {
        return format!("{} and {} offer the same", best.venue, second.venue);
    }
    match best.ask.mode {
        Mode::ExactIn => {
            let more = swap.output(best.amount_out - second.amount_out);
            format!("{} gives {more} {} more than {}", best.venue, best.ask.output, second.venue)
        }
        Mode::ExactOut => {
            let less = swap.input(second.amount_in - best.amount_in);
            format!("{} takes {less} {} less than {}", best.venue, best.ask.input, second.venue)
        }
    }
}

/// Whether a quote is as good as the order's limit price, where it has one.
#[must_use]
pub fn meets(swap: &Swap, quote: &Quote) -> bool {
    swap.limit_of(&quote.ask).is_none_or(|limit| match quote.ask.mode {
        Mode::ExactIn => quote.amount_out >= limit,
        Mode::ExactOut => quote.amount_in <= limit,
    })
}

/// What the venue is bound to: the tighter of the order's slippage and its limit price.
#[must_use]
pub fn bound_to(swap: &Swap, quote: &Quote) -> u128 {
    let slippage = limit(quote, swap.slippage_bps);
    swap.limit_of(&quote.ask).map_or(slippage, |price| match quote.ask.mode {
        Mode::ExactIn => price.max(slippage),
        Mode::ExactOut => price.min(slippage),
    })
}

/// The least output (rounded up) or the most input (rounded down) accepted under a slippage in basis points: rounding
/// never favours the venue. The least output is at least 1 unit.
#[must_use]
pub fn limit(quote: &Quote, slippage_bps: u16) -> u128 {
    const WHOLE: u128 = 10_000;
    let slip = u128::from(slippage_bps).min(WHOLE);
    // In two parts, so that nothing overflows: whole ten-thousandths first, then what is left.
    let share = |amount: u128, part: u128, up: bool| {
        let rest = amount % WHOLE * part;
        let rest = if up { rest.div_ceil(WHOLE) } else { rest / WHOLE };
        (amount / WHOLE).saturating_mul(part).saturating_add(rest)
    };
    match quote.ask.mode {
        Mode::ExactIn => share(quote.amount_out, WHOLE - slip, true).max(1),
        Mode::ExactOut => share(quote.amount_in, WHOLE + slip, false),
    }
}
