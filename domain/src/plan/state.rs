//! A plan: what is swapped in how many slices, and how far it has got. Amounts are base units.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{Decimal, text};
use crate::swap::{Ask, Conditions, LimitPrice, Mode, Place, Side, TimeInForce};
use crate::{Entity, Owner, Timestamp};

/// The states of a plan; the last two are final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Slices follow.
    #[default]
    Active,
    /// Every slice had its turn.
    Completed,
    /// Its owner wants no more of it.
    Cancelled,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Completed, Self::Cancelled];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Nothing follows it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Active)
    }
}

/// Why a slice was not placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which one: the first is 1.
    pub slice: u32,
    /// The code that refused the order.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A plan: the whole state. What the journal keeps in columns of its own does not stand in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// UUID text. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new plan. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose it is. A column.
    #[serde(skip)]
    pub account: Owner,
    /// Where it is in its life. A column.
    #[serde(skip)]
    pub status: Status,
    /// What the trader calls its orders.
    pub side: Side,
    /// Symbol of the token that is paid.
    pub input: Arc<str>,
    /// Its decimals.
    pub input_decimals: u8,
    /// Symbol of the token that is received.
    pub output: Arc<str>,
    /// Its decimals.
    pub output_decimals: u8,
    /// What is paid by all slices together.
    #[serde(with = "text")]
    pub total: u128,
    /// How many slices there are.
    pub slices: u32,
    /// How many had their turn.
    pub turns: u32,
    /// How many of those were refused.
    pub skipped: u32,
    /// From one slice to the next.
    pub every_seconds: u32,
    /// How much worse than quoted is still accepted.
    pub slippage_bps: u16,
    /// Under which conditions each slice trades; how long it stands follows from the plan.
    #[serde(default, skip_serializing_if = "Conditions::is_none")]
    pub conditions: Conditions,
    /// The trader's own id of the plan, unique within the account for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// When the next slice has its turn.
    pub next_at: Timestamp,
    /// The last slice that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// When it was made. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last changed. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    account: &'a Owner,
    side: Side,
    mode: Mode,
    input_token: &'a str,
    input_decimals: u8,
    output_token: &'a str,
    output_decimals: u8,
    amount: Decimal,
    total: Decimal,
    slices: u32,
    turns: u32,
    skipped: u32,
    every_seconds: u32,
    slippage_bps: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_price: Option<LimitPrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_price_impact_bps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a Refused>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Plan {
    /// What a slice pays, the first being 1: all slices together pay the total, and none differs from another by more than one
    /// unit.
    #[must_use]
    pub fn amount_of(&self, slice: u32) -> u128 {
        let (slices, before) = (u128::from(self.slices.max(1)), u128::from(slice.saturating_sub(1)));
        // In two parts, so that nothing overflows: what each gets, and what is left over, dealt out evenly.
        let (each, over) = (self.total / slices, self.total % slices);
        each + over * (before + 1) / slices - over * before / slices
    }

    /// The order of the slice that has its turn, which stands until the next has its own where it waits for a price.
    #[must_use]
    pub fn place(&self, next_at: Timestamp) -> Place {
        let number = self.turns + 1;
        let waits = self.conditions.limit_price.is_some();
        let time_in_force = if waits { TimeInForce::Gtd } else { TimeInForce::Gtc };
        Place {
            id: id(&self.id, number),
            account: self.account.clone(),
            side: self.side,
            ask: Ask {
                input: Arc::clone(&self.input),
                output: Arc::clone(&self.output),
                mode: Mode::ExactIn,
                amount: self.amount_of(number),
            },
            input_decimals: self.input_decimals,
            output_decimals: self.output_decimals,
            slippage_bps: self.slippage_bps,
            client_order_id: None,
            expires_at: waits.then_some(next_at),
            conditions: Conditions { time_in_force, ..self.conditions.clone() },
            firm: None,
            plan: Some(self.id.clone()),
        }
    }

    /// When the slice after the present one has its turn. Slices that are late are not made up for: they follow each other at
    /// the plan's pace.
    #[must_use]
    pub fn after_this(&self, now: Timestamp) -> Timestamp {
        let pause = i64::from(self.every_seconds) * 1_000;
        let next = self.next_at.plus_millis(pause);
        if next > now { next } else { now.plus_millis(pause) }
    }

    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let input = |units| Decimal { units, decimals: self.input_decimals };
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            account: &self.account,
            side: self.side,
            mode: Mode::ExactIn,
            input_token: &self.input,
            input_decimals: self.input_decimals,
            output_token: &self.output,
            output_decimals: self.output_decimals,
            amount: input(self.amount_of(self.slices)),
            total: input(self.total),
            slices: self.slices,
            turns: self.turns,
            skipped: self.skipped,
            every_seconds: self.every_seconds,
            slippage_bps: self.slippage_bps,
            limit_price: self.conditions.limit_price,
            max_price_impact_bps: self.conditions.max_price_impact_bps,
            client_order_id: self.client_order_id.as_deref(),
            next_at: (self.status == Status::Active).then_some(self.next_at),
            refusal: self.refused.as_ref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }

    /// Reads the plan from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let status = Status::parse(&entity.status)
            .ok_or_else(|| <serde_json::Error as serde::de::Error>::custom("no such status"))?;
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            account: entity.owner.clone(),
            status,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
            ..body
        })
    }
}

/// The id of a slice's order: the same slice is the same order, whoever places it.
fn id(plan: &str, slice: u32) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("plan {plan} {slice}").as_bytes()).to_string()
}
