//! Where an account's webhooks go: an endpoint, its life, and the decisions about it.

mod decide;
mod table;
mod view;

use serde::{Deserialize, Serialize};

pub use self::decide::{
    Choice, Create, Edit, KEEP_OLD_SECRET_MICROS, LONGEST_OVERLAP_MICROS, MOST_CONCURRENCY, MOST_ENDPOINTS,
    MOST_PATTERNS, MOST_RATE, create, delete, disable, edit, enable, rotate,
};
pub use self::table::{Happening, next};
use super::Pattern;
use crate::{Entity, Owner, Timestamp};

/// Where an endpoint is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It gets what it asks for.
    #[default]
    Active,
    /// It gets nothing until it is enabled.
    Disabled,
    /// It is gone.
    Deleted,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Deleted];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Why an endpoint gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Its owner said so.
    Owner,
    /// It answered 410: it wants nothing any more.
    Gone,
    /// It failed for five days.
    Failing,
}

/// What a payload looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `{type, timestamp, data}`, as Standard Webhooks has it.
    #[default]
    Standard,
    /// As the recorded deals system has it.
    Deals,
}

impl Format {
    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "standard" => Some(Self::Standard),
            "deals" => Some(Self::Deals),
            _ => None,
        }
    }
}

/// A secret as it lies in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Encrypted with the installation's secret, bound to the endpoint.
    pub sealed: String,
    /// Until when it signs besides the newest one; none for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An endpoint: the whole state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// UUID v7 text. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new one. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose it is: it is told what that account may see. A column.
    #[serde(skip)]
    pub account: Owner,
    /// Where it is in its life. A column.
    #[serde(skip)]
    pub status: Status,
    /// Where it is reached: http or https.
    pub url: String,
    /// What it wants: any of these.
    pub patterns: Vec<Pattern>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its payloads look like.
    #[serde(default)]
    pub format: Format,
    /// What signs, newest first.
    pub secrets: Vec<SealedSecret>,
    /// At most so many requests a second, by each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<u32>,
    /// At most so many requests at once.
    pub concurrency: u32,
    /// The events of one entity come one after the other: a failed one holds up what follows it.
    #[serde(default)]
    pub ordered: bool,
    /// Why it gets nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When it was made. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last changed. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// The secrets that sign at `now`, as they are sealed, the newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let signing = self.secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now));
        signing.map(|secret| &*secret.sealed)
    }

    /// Reads the endpoint from its row in the journal.
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

#[cfg(test)]
mod tests;
