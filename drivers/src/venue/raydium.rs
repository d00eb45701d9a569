//! Raydium's trade API: compute a swap, have its transaction built.
//! Source: <https://docs.raydium.io/raydium/traders/trade-api>.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::swap::{Ask, Inquiry, Mode, Prepared, Quote};
use domain::token::Registry;
use solana::Address;

use super::check::{Programs, mismatch};
use super::legs::Mints;
use super::line::{Call, Line};
use super::number::{bps, slippage};
use super::options::Options;
use super::rpc::Rpc;
use super::signer::Signer;
use super::wallet::{Built, Settings, Wallet};
use super::{LOOK_UP_LIMIT, Order, Outcome, Settlement, Venue, VenueError, nonce};
use crate::Fault;

mod shapes;

use shapes::{BuildRequest, BuiltOne, Computed, answer, kept, odd};

/// The exchange itself is on the network of the simulated venues under the name `Raydium`.
const NAME: &str = "RaydiumApi";
/// For quotes, whose askers have a deadline of their own.
const QUOTE_WITHIN: Duration = Duration::from_secs(5);
/// The longest quote that is kept with an order.
const QUOTE_BYTES: usize = 32 * 1024;
/// About a slot.
const POLL_MILLIS: u64 = 400;

struct Raydium {
    line: Line,
    wallet: Wallet,
    mints: Mints,
    /// Millionths of a lamport for each unit of computation.
    priority: u64,
    /// For building a transaction.
    deadline: Duration,
}

/// `raydium=` with these options.
pub(super) fn open(base: &str, tokens: &Registry, signer: &Signer) -> Result<Arc<dyn Venue>, Fault> {
    let known = ["rpc", "rpc-file", "rpc-rate", "rate", "deadline", "max-fee-lamports", "priority", "simulate"];
    let options = Options::parse("raydium", base, &known)?;
    let line = Line::open(options.base(), None, options.rate()?)?;
    let rpc = Rpc::new(Line::open(&options.rpc()?, None, options.rate_of("rpc-rate")?)?);
    let wallet = Wallet::new(NAME, signer.clone(), tokens, rpc, Settings::of(&options)?);
    let priority = options.number("priority", 0, 1_000_000_000)?.unwrap_or(super::PRIORITY);
    Ok(Arc::new(Raydium { line, wallet, mints: Mints::new(tokens), priority, deadline: options.deadline()? }))
}

#[async_trait]
impl Venue for Raydium {
    fn name(&self) -> &'static str {
        NAME
    }

    fn settlement(&self) -> Settlement {
        Settlement::Signature
    }

    fn trades(&self, ask: &Ask) -> bool {
        self.wallet.sides(ask).is_some()
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        self.wallet.ready()?;
        let (text, computed) = self.meeting(inquiry).await?;
        let ask = &inquiry.ask;
        let (legs, fee) = self.mints.legs(&computed.hops(), ask, &computed.input_mint);
        Ok(Quote {
            venue: NAME.into(),
            ask: ask.clone(),
            amount_in: computed.input_amount.0.into(),
            amount_out: computed.output_amount.0.into(),
            fee,
            price_impact_bps: bps(&computed.price_impact_pct, 100),
            legs,
            certificate: None,
            opaque: Some(text.into()),
        })
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        let ask = &order.quote.ask;
        let (mut text, mut computed) = kept(order.quote.opaque.as_deref())
            .ok_or_else(|| VenueError::NoRoute("the quote is not this venue's".to_owned()))?;
        if !computed.meets(ask.mode, order.limit) {
            let slippage_bps = computed.slippage();
            let inquiry = Inquiry { ask: ask.clone(), slippage_bps, limit: Some(order.limit) };
            (text, computed) = self.meeting(&inquiry).await?;
        }
        if !computed.meets(ask.mode, order.limit) {
            return Err(VenueError::NoRoute("its price is now beyond the order's limit".to_owned()));
        }
        let transaction = self.build(order, &text).await?;
        let between = computed.route_plan.iter().filter_map(|planned| planned.output_mint.parse::<Address>().ok());
        let (free, worst) = (computed.free(ask.mode), computed.other_amount_threshold.0);
        let agreed = self.wallet.agreed(Programs::Raydium, order, [free, worst], between.collect())?;
        let built = Built { transaction: &transaction, last_valid_height: None, request: None, agreed };
        self.wallet.sign(order, built).await
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        self.wallet.submit(prepared).await
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        if prepared.len() > LOOK_UP_LIMIT {
            return Err(VenueError::Failed(format!("at most {LOOK_UP_LIMIT} look-ups at once")));
        }
        self.wallet.look_up(prepared).await
    }

    fn poll_millis(&self) -> u64 {
        POLL_MILLIS
    }
}

impl Raydium {
    /// A swap whose threshold meets the order's limit, if one can be had by asking for less slippage.
    async fn meeting(&self, inquiry: &Inquiry) -> Result<(String, Computed), VenueError> {
        let mode = inquiry.ask.mode;
        let first = self.computed(&inquiry.ask, inquiry.slippage_bps).await?;
        let Some(limit) = inquiry.limit.filter(|limit| !first.1.meets(mode, *limit)) else { return Ok(first) };
        // How it rounds is not said: one basis point less than it gave makes up for that.
        let less = first.1.slippage().checked_sub(1);
        match slippage(mode, first.1.free(mode), limit).zip(less) {
            Some((most, less)) => self.computed(&inquiry.ask, most.min(less)).await,
            None => Ok(first),
        }
    }

    async fn computed(&self, ask: &Ask, slippage_bps: u16) -> Result<(String, Computed), VenueError> {
        let no_route = |why: &str| VenueError::NoRoute(why.to_owned());
        let sides = self.wallet.sides(ask).ok_or_else(|| no_route("it trades tokens of Solana, one for another"))?;
        let [input, output] = sides.map(|side| side.mint.to_string());
        let amount = u64::try_from(ask.amount).map_err(|_| no_route("the amount exceeds 64 bits"))?;
        if amount == 0 {
            return Err(no_route("nothing is no amount"));
        }
        let (amount_text, slippage_text) = (amount.to_string(), slippage_bps.to_string());
        let query = [
            ("inputMint", input.as_str()),
            ("outputMint", output.as_str()),
            ("amount", &amount_text),
            ("slippageBps", &slippage_text),
            ("txVersion", "V0"),
        ];
        let (path, kind) = match ask.mode {
            Mode::ExactIn => ("/compute/swap-base-in", "BaseIn"),
            Mode::ExactOut => ("/compute/swap-base-out", "BaseOut"),
        };
        let (text, computed): (String, Computed) = answer(self.line.ask(Call::get(path, &query, QUOTE_WITHIN)).await?)?;
        let fixed = if ask.mode == Mode::ExactIn { computed.input_amount } else { computed.output_amount };
        let same = (&computed.input_mint, &computed.output_mint) == (&input, &output) && fixed.0 == amount;
        if !same || computed.swap_type.as_deref().is_some_and(|said| said != kind) {
            return Err(VenueError::Failed("it computes another swap than the one that it was asked for".to_owned()));
        }
        if text.len() > QUOTE_BYTES {
            return Err(VenueError::Failed(format!("its quote has more than {QUOTE_BYTES} bytes")));
        }
        Ok((text, computed))
    }

    /// The one transaction of the swap. Several, one after the other, would leave an order half done: they are refused.
    async fn build(&self, order: &Order, text: &str) -> Result<String, VenueError> {
        let ask = &order.quote.ask;
        let [input, output] =
            self.wallet.sides(ask).ok_or_else(|| VenueError::NoRoute("a token without a mint".to_owned()))?;
        let request = BuildRequest {
            wallet: &self.wallet.address(),
            swap_response: serde_json::from_str(text).map_err(|error| odd(&error.to_string()))?,
            tx_version: "V0",
            compute_unit_price_micro_lamports: (self.priority + nonce(order)).to_string(),
            wrap_sol: input.native,
            unwrap_sol: output.native,
            input_account: if input.native { None } else { Some(self.wallet.source(&input).await?.to_string()) },
        };
        let body = serde_json::to_vec(&request).map_err(|error| odd(&error.to_string()))?;
        let path = match ask.mode {
            Mode::ExactIn => "/transaction/swap-base-in",
            Mode::ExactOut => "/transaction/swap-base-out",
        };
        let (_, built): (_, Vec<BuiltOne>) =
            answer(self.line.ask(Call::post(path, body, self.deadline).repeatable()).await?)?;
        let [one]: [BuiltOne; 1] = built.try_into().map_err(|all: Vec<_>| {
            mismatch(&format!("it takes {} transactions, and only one is executed whole or not at all", all.len()))
        })?;
        Ok(one.transaction)
    }
}
