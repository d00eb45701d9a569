//! Between the words of orders and those of the simulated chain; nothing here waits.

use std::sync::Arc;

use domain::swap::{Ask, Mode, Prepared, Quote};
use domain::token::{Registry, Token};
use simnet::{Amount, Exchange, Refused, Signed, Swap};

use super::{Order, Outcome, VenueError};

/// What both drivers know of one exchange.
pub(super) struct Desk {
    pub(super) exchange: Exchange,
    name: Arc<str>,
    tokens: Arc<Registry>,
}

impl Desk {
    pub(super) fn new(exchange: Exchange, tokens: Arc<Registry>) -> Self {
        Self { exchange, name: exchange.as_str().into(), tokens }
    }

    /// The question in the chain's words.
    pub(super) fn ask<'a>(&self, ask: &'a Ask) -> Result<simnet::Ask<'a>, VenueError> {
        let amount = amount(ask)?;
        Ok(simnet::Ask { exchange: self.exchange, input: &ask.input, output: &ask.output, amount })
    }

    /// The answer in ours.
    pub(super) fn quote(&self, ask: &Ask, quote: simnet::Quote) -> Quote {
        Quote {
            venue: Arc::clone(&self.name),
            ask: ask.clone(),
            amount_in: quote.amount_in.into(),
            amount_out: quote.amount_out.into(),
            fee: quote.fee.into(),
            price_impact_bps: quote.price_impact_bps,
            legs: Vec::new(),
            certificate: None,
            opaque: None,
        }
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
        let swap = Swap {
            account: order.account.as_str(),
            exchange: self.exchange,
            input_mint: &input.mint,
            wrap: input.is_native(),
            output_mint: &output.mint,
            unwrap: output.is_native(),
            amount: amount(ask)?,
            limit,
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
