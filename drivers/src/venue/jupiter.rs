//! Jupiter's aggregator: the Swap API, version 1 (quote, swap) and version 2 (order, execute).
//! Source: <https://dev.jup.ag/docs/swap-api>.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::swap::{Ask, Inquiry, Mode, Prepared, Quote};
use domain::token::Registry;
use hyper::header::HeaderName;
use serde_json::value::RawValue;
use solana::program::token::NATIVE_MINT;

use super::check::{Programs, Side};
use super::legs::{Hop, Mints};
use super::line::{Call, Line};
use super::number::{bps, slippage};
use super::options::Options;
use super::rpc::Rpc;
use super::signer::Signer;
use super::wallet::{Built, Settings, Wallet};
use super::{LOOK_UP_LIMIT, Order, Outcome, Settlement, Venue, VenueError, nonce};
use crate::Fault;

mod shapes;

use shapes::{Execute, Executed, Quoted, SwapRequest, Swapped, answer, hop, odd};

const NAME: &str = "Jupiter";
/// For quotes, whose askers have a deadline of their own.
const QUOTE_WITHIN: Duration = Duration::from_secs(5);
/// `execute` answers when the transaction is confirmed, or not.
const EXECUTE_WITHIN: Duration = Duration::from_secs(5);
/// The longest quote that is kept with an order.
const QUOTE_BYTES: usize = 32 * 1024;
/// About a slot.
const POLL_MILLIS: u64 = 400;
/// Routers of version 2 whose transactions others sign, too; they could not be checked.
const EXCLUDED: &str = "jupiterz,dflow,okx";
/// The units that a priority fee is reckoned with where the venue takes lamports.
const UNITS: u64 = 1_400_000;

/// Which of its interfaces is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    /// Quotes are built into transactions that we send.
    Swap,
    /// Orders, which it sends itself.
    Order,
}

struct Jupiter {
    api: Api,
    line: Line,
    wallet: Wallet,
    mints: Mints,
    /// Millionths of a lamport for each unit of computation.
    priority: u64,
    /// For building a transaction.
    deadline: Duration,
}

/// `jupiter=` with these options.
pub(super) fn open(base: &str, tokens: &Registry, signer: &Signer) -> Result<Arc<dyn Venue>, Fault> {
    let known = [
        "api",
        "rpc",
        "rpc-file",
        "rpc-rate",
        "rate",
        "deadline",
        "key-file",
        "max-fee-lamports",
        "priority",
        "simulate",
    ];
    let options = Options::parse("jupiter", base, &known)?;
    let api = match options.text("api") {
        None | Some("v1") => Api::Swap,
        Some("v2") => Api::Order,
        Some(_) => return Err(options.wrong("api must be v1 or v2")),
    };
    let key = options.key("")?.map(|key| (HeaderName::from_static("x-api-key"), key));
    let line = Line::open(options.base(), key, options.rate()?)?;
    let rpc = Rpc::new(Line::open(&options.rpc()?, None, options.rate_of("rpc-rate")?)?);
    let settings = Settings::of(&options)?;
    let wallet = Wallet::new(NAME, signer.clone(), tokens, rpc, settings);
    let priority = options.number("priority", 0, 1_000_000_000)?.unwrap_or(super::PRIORITY);
    Ok(Arc::new(Jupiter { api, line, wallet, mints: Mints::new(tokens), priority, deadline: options.deadline()? }))
}

#[async_trait]
impl Venue for Jupiter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn settlement(&self) -> Settlement {
        match self.api {
            Api::Swap => Settlement::Signature,
            Api::Order => Settlement::RequestId,
        }
    }

    fn trades(&self, ask: &Ask) -> bool {
        self.sides(ask).is_some()
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        self.wallet.ready()?;
        let (text, quoted) = self.meeting(inquiry).await?;
        let ask = &inquiry.ask;
        let hops: Vec<Hop> = quoted.route_plan.into_iter().map(|planned| hop(planned.swap_info)).collect();
        let (legs, fee) = self.mints.legs(&hops, ask, &quoted.input_mint);
        Ok(Quote {
            venue: NAME.into(),
            ask: ask.clone(),
            amount_in: quoted.in_amount.0.into(),
            amount_out: quoted.out_amount.0.into(),
            fee,
            price_impact_bps: bps(&quoted.price_impact_pct, 10_000),
            legs,
            certificate: None,
            opaque: Some(text.into()),
        })
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        match self.api {
            Api::Swap => self.prepare_swap(order).await,
            Api::Order => self.prepare_order(order).await,
        }
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        match self.api {
            Api::Swap => self.wallet.submit(prepared).await,
            Api::Order => self.execute(prepared).await,
        }
    }

    /// By the chain's word in both versions. Of what the chain does not know yet, version 2 is told again with `submit`: the
    /// same request is executed once.
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

impl Jupiter {
    /// Both sides of a swap. Version 2 wraps whatever is of the mint of SOL: wrapped SOL by itself it does not trade.
    fn sides(&self, ask: &Ask) -> Option<[Side; 2]> {
        let sides = self.wallet.sides(ask)?;
        let wrapped = |side: &Side| side.mint == NATIVE_MINT && !side.native;
        (self.api == Api::Swap || !sides.iter().any(wrapped)).then_some(sides)
    }

    /// A quote whose threshold meets the order's limit, if one can be had by asking for less slippage.
    async fn meeting(&self, inquiry: &Inquiry) -> Result<(String, Quoted), VenueError> {
        let mode = inquiry.ask.mode;
        let first = self.quoted(inquiry, inquiry.slippage_bps, &[]).await?;
        let Some(limit) = inquiry.limit.filter(|limit| !first.1.meets(mode, *limit)) else { return Ok(first) };
        match slippage(mode, first.1.free(mode), limit) {
            Some(tighter) if tighter < first.1.slippage_bps => self.quoted(inquiry, tighter, &[]).await,
            _ => Ok(first),
        }
    }

    async fn quoted(
        &self,
        inquiry: &Inquiry,
        slippage_bps: u16,
        more: &[(&str, &str)],
    ) -> Result<(String, Quoted), VenueError> {
        // What is asked with a wallet is built for an order.
        let within = if more.is_empty() { QUOTE_WITHIN } else { self.deadline };
        let ask = &inquiry.ask;
        let no_route = |why: &str| VenueError::NoRoute(why.to_owned());
        let [input, output] = self.sides(ask).ok_or_else(|| no_route("it trades tokens of Solana, one for another"))?;
        let [input, output] = [input, output].map(|side| side.mint.to_string());
        let amount = u64::try_from(ask.amount).map_err(|_| no_route("the amount exceeds 64 bits"))?;
        if amount == 0 {
            return Err(no_route("nothing is no amount"));
        }
        let (amount_text, slippage_text) = (amount.to_string(), slippage_bps.to_string());
        let swap_mode = word(ask.mode);
        let mut query = vec![
            ("inputMint", input.as_str()),
            ("outputMint", output.as_str()),
            ("amount", &amount_text),
            ("slippageBps", &slippage_text),
            ("swapMode", swap_mode),
        ];
        let path = match self.api {
            Api::Swap => "/swap/v1/quote",
            Api::Order => {
                query.push(("excludeRouters", EXCLUDED));
                "/swap/v2/order"
            }
        };
        query.extend_from_slice(more);
        let (text, quoted): (String, Quoted) = answer(self.line.ask(Call::get(path, &query, within)).await?)?;
        let fixed = if ask.mode == Mode::ExactIn { quoted.in_amount } else { quoted.out_amount };
        if (&quoted.input_mint, &quoted.output_mint) != (&input, &output)
            || quoted.swap_mode != swap_mode
            || fixed.0 != amount
        {
            return Err(VenueError::Failed("it quotes another swap than the one that it was asked for".to_owned()));
        }
        if quoted.slippage_bps > slippage_bps {
            return Err(VenueError::Failed("it quotes with more slippage than it was asked for".to_owned()));
        }
        if text.len() > QUOTE_BYTES {
            return Err(VenueError::Failed(format!("its quote has more than {QUOTE_BYTES} bytes")));
        }
        Ok((text, quoted))
    }

    async fn prepare_swap(&self, order: &Order) -> Result<Prepared, VenueError> {
        let ask = &order.quote.ask;
        let kept =
            order.quote.opaque.as_deref().and_then(|text| Some((text.to_owned(), serde_json::from_str(text).ok()?)));
        let (mut text, mut quoted): (String, Quoted) =
            kept.ok_or_else(|| VenueError::NoRoute("the quote is not this venue's".to_owned()))?;
        if !quoted.meets(ask.mode, order.limit) {
            let slippage_bps = quoted.slippage_bps;
            let inquiry = Inquiry { ask: ask.clone(), slippage_bps, limit: Some(order.limit) };
            (text, quoted) = self.meeting(&inquiry).await?;
        }
        quoted.must_meet(order)?;
        let quote_response: &RawValue = serde_json::from_str(&text).map_err(|error| odd(&error.to_string()))?;
        let [input, output] =
            self.wallet.sides(ask).ok_or_else(|| VenueError::NoRoute("a token without a mint".to_owned()))?;
        let request = SwapRequest {
            user_public_key: &self.wallet.address(),
            quote_response,
            wrap_and_unwrap_sol: input.native || output.native,
            dynamic_compute_unit_limit: true,
            compute_unit_price_micro_lamports: self.priority + nonce(order),
        };
        let body = serde_json::to_vec(&request).map_err(|error| odd(&error.to_string()))?;
        let call = Call::post("/swap/v1/swap", body, self.deadline).repeatable();
        let (_, built): (_, Swapped) = answer(self.line.ask(call).await?)?;
        let agreed = self.wallet.agreed(Programs::Jupiter, order, quoted.bounds(ask.mode), quoted.between())?;
        let last_valid_height = Some(built.last_valid_block_height.0);
        let built = Built { transaction: &built.swap_transaction, last_valid_height, request: None, agreed };
        self.wallet.sign(order, built).await
    }

    /// The order is asked for when it is built, with the wallet that is to sign it; quotes are asked for without one.
    async fn prepare_order(&self, order: &Order) -> Result<Prepared, VenueError> {
        let ask = &order.quote.ask;
        let kept: Option<Quoted> = order.quote.opaque.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let kept = kept.ok_or_else(|| VenueError::NoRoute("the quote is not this venue's".to_owned()))?;
        let inquiry = Inquiry { ask: ask.clone(), slippage_bps: kept.slippage_bps, limit: Some(order.limit) };
        let slippage_bps = match slippage(ask.mode, kept.free(ask.mode), order.limit) {
            Some(tighter) => tighter.min(kept.slippage_bps),
            None => kept.slippage_bps,
        };
        let fee = (self.priority.saturating_mul(UNITS) / 1_000_000).saturating_add(nonce(order) % 16_384).to_string();
        let (address, more) = (self.wallet.address(), fee);
        let more = [("taker", address.as_str()), ("priorityFeeLamports", &more)];
        let (_, mut quoted) = self.quoted(&inquiry, slippage_bps, &more).await?;
        let most = slippage(ask.mode, quoted.free(ask.mode), order.limit);
        if let Some(most) = most.filter(|most| *most < quoted.slippage_bps) {
            // The price has moved since the quote; with less slippage the limit holds all the same. An eighth less than there
            // is room for, because the price may go on moving until the second answer.
            let tighter = most.saturating_sub(most / 8 + 1);
            (_, quoted) = self.quoted(&inquiry, tighter, &more).await?;
        }
        quoted.must_meet(order)?;
        let agreed = self.wallet.agreed(Programs::Jupiter, order, quoted.bounds(ask.mode), quoted.between())?;
        let transaction = quoted.transaction.as_deref().filter(|transaction| !transaction.is_empty());
        let (Some(transaction), Some(request)) = (transaction, quoted.request_id.clone()) else {
            let why = quoted.error_message.as_deref().unwrap_or("it gives no transaction");
            return Err(match quoted.error_code.as_i64() {
                Some(1 | 2) => VenueError::Refused { code: "INSUFFICIENT_BALANCE", message: super::line::short(why) },
                _ => odd(&super::line::short(why)),
            });
        };
        let last_valid_height = quoted.last_valid_block_height.map(|height| height.0);
        self.wallet.sign(order, Built { transaction, last_valid_height, request: Some(request), agreed }).await
    }

    /// Hands the signed order over; again with the same request it says what became of it.
    async fn execute(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let (envelope, _) = Wallet::open(prepared)?;
        self.wallet.refuse_expired(prepared)?;
        let request_id = envelope.request.ok_or_else(|| odd("an order without a request"))?;
        let body = Execute {
            signed_transaction: &envelope.transaction,
            request_id: &request_id,
            last_valid_block_height: prepared.expires_at_height,
        };
        let body = serde_json::to_vec(&body).map_err(|error| odd(&error.to_string()))?;
        let call = Call::post("/swap/v2/execute", body, EXECUTE_WITHIN).repeatable();
        let (_, executed): (_, Executed) = answer(self.line.ask(call).await?)?;
        if executed.status == "Success" {
            return Ok(());
        }
        // Its word is not the last one: whether the transaction is on the chain, the chain says.
        let why = executed.error.unwrap_or_default();
        Err(odd(&format!("{} ({})", super::line::short(&why), executed.code)))
    }
}

const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::ExactIn => "ExactIn",
        Mode::ExactOut => "ExactOut",
    }
}
