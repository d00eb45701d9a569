//! A key as the journal keeps it, and what of it is shown.

use std::fmt;
use std::fmt::Write as _;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use subtle::ConstantTimeEq;

use super::{Presented, Role, Scope};
use crate::{Entity, Owner, Timestamp};

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It opens doors, until its time runs out.
    Active,
    /// It was withdrawn, for ever.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    /// The name in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A key to the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// A part of its text; of an imported one made from that.
    pub id: String,
    /// One more with every change.
    pub version: u64,
    /// Whether it is good.
    pub status: Status,
    /// Whose it is.
    pub account: Owner,
    /// What that account is with this key.
    pub role: Role,
    /// What it allows: all that its role may, or less.
    pub scopes: Vec<Scope>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What it is for; none of an imported one.
    pub env: Option<String>,
    /// The end of its text, to tell it by.
    pub last4: String,
    /// SHA-256 of its secret. Nothing shows it.
    pub hash: [u8; 32],
    /// When it is good no more.
    pub expires_at: Option<Timestamp>,
    /// The account that made it.
    pub created_by: Owner,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} of {}, {})", self.id, self.account, self.status.as_str())
    }
}

/// What the journal keeps beside an entity's own columns.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    role: Named<Role>,
    scopes: Vec<Named<Scope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    last4: String,
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_by: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: &'static str,
    account: &'a Owner,
    role: Named<Role>,
    scopes: Vec<Named<Scope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<&'a str>,
    last4: &'a str,
    imported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_by: &'a Owner,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Key {
    /// Whether it opens doors at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.status == Status::Active && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether this is its text. Takes the same time however much of it is right.
    #[must_use]
    pub fn fits(&self, presented: &Presented) -> bool {
        bool::from(self.hash.ct_eq(&presented.hash))
    }

    /// The key that an entity is.
    ///
    /// # Errors
    /// The entity is not what this program writes.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let wrong = |what: &str| serde_json::Error::custom(format!("no such {what}"));
        let body: Body = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            status: Status::parse(&entity.status).ok_or_else(|| wrong("status"))?,
            account: entity.owner.clone(),
            role: body.role.0,
            scopes: body.scopes.into_iter().map(|Named(scope)| scope).collect(),
            name: body.name,
            env: body.env,
            last4: body.last4,
            hash: bytes(&body.hash).ok_or_else(|| wrong("digest"))?,
            expires_at: body.expires_at,
            created_by: Owner::parse(&body.created_by).ok_or_else(|| wrong("account"))?,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
        })
    }

    /// What the journal keeps.
    #[must_use]
    pub fn body_json(&self) -> String {
        let body = Body {
            role: Named(self.role),
            scopes: self.scopes.iter().copied().map(Named).collect(),
            name: self.name.clone(),
            env: self.env.clone(),
            last4: self.last4.clone(),
            hash: hexadecimal(&self.hash),
            expires_at: self.expires_at,
            created_by: self.created_by.as_str().to_owned(),
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// What the world sees: everything but the digest.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status.as_str(),
            account: &self.account,
            role: Named(self.role),
            scopes: self.scopes.iter().copied().map(Named).collect(),
            name: self.name.as_deref(),
            env: self.env.as_deref(),
            last4: &self.last4,
            imported: self.env.is_none(),
            expires_at: self.expires_at,
            created_by: &self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        serde_json::to_string(&view).unwrap_or_default()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A word of the wire as JSON.
struct Named<T>(T);

/// Words that have names.
trait Word: Copy {
    fn name(self) -> &'static str;
    fn named(name: &str) -> Option<Self>;
}

impl Word for Role {
    fn name(self) -> &'static str {
        self.as_str()
    }
    fn named(name: &str) -> Option<Self> {
        Self::parse(name)
    }
}

impl Word for Scope {
    fn name(self) -> &'static str {
        self.as_str()
    }
    fn named(name: &str) -> Option<Self> {
        Self::parse(name)
    }
}

impl<T: Word> Serialize for Named<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de, T: Word> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        T::named(&name).map(Self).ok_or_else(|| D::Error::custom("no such role or scope"))
    }
}
