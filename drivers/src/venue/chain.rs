//! Between the words of orders and those of the simulated chain; nothing here waits.

use std::fmt::Write as _;
use std::sync::Arc;

use domain::swap::{Ask, Certificate, Leg, Mode, Prepared, Quote};
use domain::token::{Registry, Token};
use simnet::{Amount, Refused, Side, Signed, Step, Swap};

use super::{Order, Outcome, VenueError};

/// What both drivers know of one venue.
pub(super) struct Desk {
    pub(super) venue: simnet::Venue,
    name: Arc<str>,
    tokens: Arc<Registry>,
}

impl Desk {
    pub(super) fn new(venue: simnet::Venue, tokens: Arc<Registry>) -> Self {
        Self { venue, name: venue.as_str().into(), tokens }
    }

    /// The question in the chain's words.
    pub(super) fn ask<'a>(&self, ask: &'a Ask) -> Result<simnet::Ask<'a>, VenueError> {
        let amount = amount(ask)?;
        Ok(simnet::Ask { venue: self.venue, input: &ask.input, output: &ask.output, amount })
    }

    /// The answer in ours. The venue's own words are the plan as its transactions carry it.
    pub(super) fn quote(&self, ask: &Ask, quote: &simnet::Quote) -> Result<Quote, VenueError> {
        Ok(Quote {
            venue: Arc::clone(&self.name),
            ask: ask.clone(),
            amount_in: quote.amount_in.into(),
            amount_out: quote.amount_out.into(),
            fee: quote.fee.into(),
            price_impact_bps: quote.price_impact_bps,
            legs: quote.legs.iter().map(leg).collect(),
            certificate: quote
                .certificate
                .map(|proof| Certificate { bound: proof.bound.into(), gap_billionths: proof.gap_billionths }),
            opaque: Some(write_steps(&quote.steps(amount(ask)?)).into()),
        })
    }

    /// Builds the swap and has it signed. Native SOL is wrapped before and unwrapped after.
    pub(super) fn prepare(
        &self,
        order: &Order,
        sign: impl FnOnce(&Swap<'_>) -> Result<Signed, Refused>,
    ) -> Result<Prepared, VenueError> {
        let ask = &order.quote.ask;
        let (input, output) = (self.token(&ask.input)?, self.token(&ask.output)?);
        let limit = match (ask.mode, u64::try_from(order.limit)) {
            (_, Ok(limit)) => limit,
            (Mode::ExactOut, Err(_)) => u64::MAX,
            (Mode::ExactIn, Err(_)) => return Err(VenueError::NoRoute("the least output exceeds 64 bits".to_owned())),
        };
        let plan = order.quote.opaque.as_deref().and_then(read_steps);
        let swap = Swap {
            account: order.account.as_str(),
            input_mint: &input.mint,
            wrap: input.is_native(),
            output_mint: &output.mint,
            unwrap: output.is_native(),
            amount: amount(ask)?,
            limit,
            steps: plan.ok_or_else(|| VenueError::NoRoute("the quote is not this venue's".to_owned()))?,
            order: &order.id,
            build: order.attempt,
        };
        let signed = sign(&swap).map_err(refused)?;
        Ok(Prepared {
            venue: Arc::clone(&self.name),
            bytes: signed.bytes,
            id: signed.id,
            expires_at_height: signed.expires_at_height,
            build: order.attempt,
        })
    }

    fn token(&self, symbol: &str) -> Result<&Token, VenueError> {
        self.tokens.get(symbol).ok_or_else(|| VenueError::NoRoute(format!("{symbol} is unknown")))
    }
}

fn leg(leg: &simnet::Leg) -> Leg {
    Leg {
        pool: Arc::clone(&leg.pool),
        exchange: leg.exchange.as_str().into(),
        family: Arc::clone(&leg.family),
        input: Arc::clone(&leg.input),
        input_decimals: leg.input_decimals,
        output: Arc::clone(&leg.output),
        output_decimals: leg.output_decimals,
        amount_in: leg.amount_in.into(),
        amount_out: leg.amount_out.into(),
        fee: leg.fee.into(),
        fee_token: Arc::clone(&leg.fee_token),
        price_impact_bps: leg.price_impact_bps,
    }
}

/// A plan as text: of each step the pool's number, the side that is paid and the amount, `12a1000000 7b2500`.
fn write_steps(steps: &[Step]) -> String {
    let mut text = String::with_capacity(24 * steps.len());
    for (place, Step { pool, input, amount }) in steps.iter().enumerate() {
        let side = if *input == Side::A { 'a' } else { 'b' };
        let between = if place == 0 { "" } else { " " };
        let _ = write!(text, "{between}{pool}{side}{amount}");
    }
    text
}

fn read_steps(text: &str) -> Option<Vec<Step>> {
    let step = |word: &str| {
        let input = if word.contains('a') { Side::A } else { Side::B };
        let (pool, amount) = word.split_once(['a', 'b'])?;
        Some(Step { pool: pool.parse().ok()?, input, amount: amount.parse().ok()? })
    };
    text.split(' ').map(step).collect()
}

/// The registered tokens as a world takes them.
pub(super) fn tokens(registry: &Registry) -> Vec<simnet::Token> {
    let token = |token: &Token| simnet::Token {
        symbol: Arc::clone(&token.symbol),
        mint: token.mint.as_str().into(),
        decimals: token.decimals,
        reference_price: token.reference_price,
        native: token.is_native(),
    };
    registry.all().map(token).collect()
}

pub(super) fn outcome(outcome: simnet::Outcome) -> Outcome {
    match outcome {
        simnet::Outcome::Open => Outcome::Open,
        simnet::Outcome::Confirmed { amount_in, amount_out, slot } => {
            Outcome::Confirmed { amount_in: amount_in.into(), amount_out: amount_out.into(), slot }
        }
        simnet::Outcome::Failed(failure) => {
            Outcome::Failed { code: failure.code().to_owned(), message: failure.message().to_owned() }
        }
        simnet::Outcome::Expired => Outcome::Expired,
    }
}

/// Only a missing route is final; after anything else the caller asks or looks again.
pub(super) fn refused(refused: Refused) -> VenueError {
    match refused {
        Refused::NoRoute(why) => VenueError::NoRoute(why),
        other => VenueError::Failed(other.to_string()),
    }
}

fn amount(ask: &Ask) -> Result<Amount, VenueError> {
    let amount = u64::try_from(ask.amount).map_err(|_| VenueError::NoRoute("the amount exceeds 64 bits".to_owned()))?;
    Ok(match ask.mode {
        Mode::ExactIn => Amount::In(amount),
        Mode::ExactOut => Amount::Out(amount),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_survive_as_text() {
        let steps = vec![
            Step { pool: 12, input: Side::A, amount: u64::MAX },
            Step { pool: u16::MAX, input: Side::B, amount: 0 },
        ];
        let text = write_steps(&steps);
        assert_eq!(text, "12a18446744073709551615 65535b0");
        assert_eq!(read_steps(&text), Some(steps));
        for bad in ["", "12", "12c5", "12a", "a5", "12a5 ", "99999a5", "1a-5"] {
            assert_eq!(read_steps(bad), None, "{bad}");
        }
    }
}
