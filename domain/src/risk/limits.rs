//! The limits of one account, or of all that have none of their own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shown;
use crate::view::event_body;
use crate::{Change, Entity, EntityWrite, EventDraft, Expect, Kind, LevelMove, Owner, Refusal, Timestamp};

/// The id of the limits of all accounts that have none of their own. No account has that name.
pub const ALL_OTHERS: &str = "*";
/// The most tokens that limits name.
const MOST_TOKENS: usize = 200;
/// The most price impact there is, in basis points.
const WHOLE_BPS: u32 = 10_000;

/// Whether limits are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// They hold.
    Active,
    /// They were taken away: those of all others hold, if there are any.
    Removed,
}

impl Status {
    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }
}

/// What is limited; what is none has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    /// The most that one order may be worth, in millionths of a US dollar; at most 2^53 - 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_order: Option<u64>,
    /// The most that the orders of one day (UTC) may be worth together, those not counted that did not trade; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_day: Option<u64>,
    /// The symbols that may be paid and received, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tokens: Option<Vec<Arc<str>>>,
    /// The most price impact of a quote, in basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price_impact_bps: Option<u32>,
}

/// Limits as the journal has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The account, or [`ALL_OTHERS`].
    pub id: String,
    /// 1 for new ones.
    pub version: u64,
    /// Whether they hold.
    pub status: Status,
    /// What they say.
    pub terms: Terms,
    /// The account that set them, or took them away.
    pub set_by: Owner,
    /// When there were some for the first time.
    pub created_at: Timestamp,
    /// When they last changed.
    pub updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(flatten)]
    terms: Terms,
    set_by: Owner,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    account: &'a str,
    version: u64,
    status: &'static str,
    max_notional_per_order: Option<crate::amount::Decimal>,
    max_notional_per_day: Option<crate::amount::Decimal>,
    allowed_tokens: Option<&'a [Arc<str>]>,
    max_price_impact_bps: Option<u32>,
    set_by: &'a Owner,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Limits {
    /// The limits that an entity is.
    ///
    /// # Errors
    /// The entity is not what this program writes.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let Body { terms, set_by } = serde_json::from_str(&entity.body)?;
        let status = if entity.status == Status::Active.as_str() { Status::Active } else { Status::Removed };
        let (id, version) = (entity.id.clone(), entity.version);
        Ok(Self { id, version, status, terms, set_by, created_at: entity.created_at, updated_at: entity.updated_at })
    }

    /// What the world sees.
    #[must_use]
    pub fn view_json(&self) -> String {
        let Terms { max_order, max_day, allowed_tokens, max_price_impact_bps } = &self.terms;
        let view = View {
            id: &self.id,
            account: &self.id,
            version: self.version,
            status: self.status.as_str(),
            max_notional_per_order: max_order.map(|micros| shown(micros.into())),
            max_notional_per_day: max_day.map(|micros| shown(micros.into())),
            allowed_tokens: allowed_tokens.as_deref(),
            max_price_impact_bps: *max_price_impact_bps,
            set_by: &self.set_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        serde_json::to_string(&view).unwrap_or_default()
    }
}

/// Sets the limits of an account, or of [`ALL_OTHERS`]: all of them, those that it had go. Nothing changes where they say so
/// already. The book is for the caller to add.
///
/// # Errors
/// `OUT_OF_RANGE`.
pub fn put(
    before: Option<&Limits>,
    id: &str,
    mut terms: Terms,
    by: &Owner,
    now: Timestamp,
) -> Result<(Limits, Change), Refusal> {
    for (limit, pointer) in [(terms.max_order, "/maxNotionalPerOrder"), (terms.max_day, "/maxNotionalPerDay")] {
        if limit.is_some_and(|micros| micros > LevelMove::HIGHEST.unsigned_abs()) {
            let most = shown(LevelMove::HIGHEST.unsigned_abs().into());
            return Err(Refusal::at(pointer, "OUT_OF_RANGE", format!("at most {most} US dollars")));
        }
    }
    if terms.max_price_impact_bps.is_some_and(|bps| bps > WHOLE_BPS) {
        let why = format!("a price impact is 0 to {WHOLE_BPS} basis points");
        return Err(Refusal::at("/maxPriceImpactBps", "OUT_OF_RANGE", why));
    }
    if let Some(tokens) = &mut terms.allowed_tokens {
        tokens.sort_unstable();
        tokens.dedup();
        if tokens.len() > MOST_TOKENS {
            return Err(Refusal::at("/allowedTokens", "OUT_OF_RANGE", format!("at most {MOST_TOKENS} tokens")));
        }
    }
    if let Some(same) = before.filter(|before| before.status == Status::Active && before.terms == terms) {
        return Ok((same.clone(), Change { at: now, ..Change::default() }));
    }
    Ok(write(before, (id, Status::Active, terms), by, now))
}

/// Takes limits away.
#[must_use]
pub fn remove(before: &Limits, by: &Owner, now: Timestamp) -> (Limits, Change) {
    write(Some(before), (&before.id, Status::Removed, Terms::default()), by, now)
}

fn write(
    before: Option<&Limits>,
    (id, status, terms): (&str, Status, Terms),
    by: &Owner,
    now: Timestamp,
) -> (Limits, Change) {
    let after = Limits {
        id: id.to_owned(),
        version: before.map_or(1, |before| before.version + 1),
        status,
        terms,
        set_by: by.clone(),
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
    };
    let old = before.map(Limits::view_json);
    let body = Body { terms: after.terms.clone(), set_by: by.clone() };
    let write = EntityWrite {
        kind: Kind::Limits,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
        status: status.as_str(),
        owner: Owner::parse(id).unwrap_or_else(Owner::system),
        party: None,
        parent: None,
        body: serde_json::to_string(&body).unwrap_or_default(),
        event: Some(EventDraft {
            type_: if status == Status::Active { "limits.set" } else { "limits.removed" },
            body: event_body(old.as_deref(), &after.view_json(), by),
        }),
    };
    (after, Change { at: now, entities: vec![write], ..Change::default() })
}
