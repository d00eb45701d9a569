//! The deliveries of a range of events, made again: how far it has got.

use serde::{Deserialize, Serialize};

use crate::{Entity, EntityWrite, Expect, Kind, NewJob, Owner, Refusal, Timestamp};

/// The queue of replays; a job's body is the replay's id.
pub const QUEUE_REPLAY: &str = "webhook.replay";

/// How a replay stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It goes through the log.
    #[default]
    Running,
    /// All of the range is on its way.
    Done,
    /// Its endpoint was disabled or deleted meanwhile.
    Stopped,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Stopped];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A replay: the whole state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// UUID v7 text. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new one. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose endpoint it is. A column.
    #[serde(skip)]
    pub account: Owner,
    /// The endpoint. A column.
    #[serde(skip)]
    pub endpoint: String,
    /// How it stands. A column.
    #[serde(skip)]
    pub status: Status,
    /// Events from this instant on.
    pub since: Timestamp,
    /// Events before this instant.
    pub until: Timestamp,
    /// The event before the first that it looks at, once it has looked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Events up to here were looked at.
    pub position: u64,
    /// The last event that it looks at.
    pub last: u64,
    /// So many deliveries were put on their way.
    pub deliveries: u64,
    /// When it was asked for. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last got on. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    endpoint_id: &'a str,
    since: Timestamp,
    until: Timestamp,
    deliveries: u64,
    progress_percent: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Replay {
    /// A replay of the events between two instants, up to the event `last`, which is the log's end.
    ///
    /// # Errors
    /// `OUT_OF_RANGE`: the range ends before it begins.
    pub fn new(
        id: String,
        (account, endpoint): (&Owner, &str),
        (since, until): (Timestamp, Timestamp),
        last: u64,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if since >= until {
            return Err(Refusal::at("/since", "OUT_OF_RANGE", "the range is empty: since is not before until"));
        }
        Ok(Self {
            id,
            version: 1,
            account: account.clone(),
            endpoint: endpoint.to_owned(),
            status: Status::Running,
            since,
            until,
            from: None,
            position: 0,
            last,
            deliveries: 0,
            created_at: now,
            updated_at: now,
        })
    }

    /// What the journal is to keep. The first version is a new row.
    #[must_use]
    pub fn write(&self) -> EntityWrite {
        EntityWrite {
            kind: Kind::Replay,
            id: self.id.clone(),
            expect: if self.version == 1 { Expect::Absent } else { Expect::Version(self.version - 1) },
            status: self.status.as_str(),
            owner: self.account.clone(),
            party: None,
            parent: Some(self.endpoint.clone()),
            // Text and numbers: writing them cannot fail.
            body: serde_json::to_string(self).unwrap_or_default(),
            event: None,
        }
    }

    /// The job that goes through the log.
    #[must_use]
    pub fn job(&self) -> NewJob {
        NewJob {
            queue: QUEUE_REPLAY.into(),
            group: None,
            lane: Some(self.account.to_string()),
            run_at: self.created_at,
            body: self.id.clone(),
            dedup: None,
        }
    }

    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            endpoint_id: &self.endpoint,
            since: self.since,
            until: self.until,
            deliveries: self.deliveries,
            progress_percent: self.progress_percent(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        serde_json::to_string(&view).unwrap_or_default()
    }

    fn progress_percent(&self) -> u64 {
        let from = self.from.unwrap_or(0);
        match self.status {
            Status::Done => 100,
            _ if self.from.is_none() => 0,
            _ => {
                let all = self.last.saturating_sub(from).max(1);
                (self.position.saturating_sub(from).saturating_mul(100) / all).min(99)
            }
        }
    }

    /// Reads the replay from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let broken = |why| <serde_json::Error as serde::de::Error>::custom(why);
        let status = Status::parse(&entity.status).ok_or_else(|| broken("no such status"))?;
        let endpoint = entity.parent.clone().ok_or_else(|| broken("no endpoint"))?;
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            account: entity.owner.clone(),
            endpoint,
            status,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
            ..body
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_grows_to_the_end_and_says_done_only_when_it_is() {
        let account = Owner::default();
        let range = (Timestamp(0), Timestamp(9));
        let mut replay = Replay::new("r".into(), (&account, "e"), range, 1_000, Timestamp(9)).unwrap();
        assert_eq!(replay.progress_percent(), 0);
        (replay.from, replay.position) = (Some(500), 750);
        assert_eq!(replay.progress_percent(), 50);
        replay.position = 1_000;
        assert_eq!(replay.progress_percent(), 99);
        replay.status = Status::Done;
        assert_eq!(replay.progress_percent(), 100);
        let empty = Replay::new("r".into(), (&account, "e"), (Timestamp(9), Timestamp(9)), 1_000, Timestamp(9));
        assert_eq!(empty.unwrap_err().pointer.as_deref(), Some("/since"));
    }
}
