//! Lists of queues, oldest first.

use std::sync::Arc;

use domain::queue::{Queue, Refusal, Status};
use domain::{Entity, Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, List};

use super::{DEADLINE, QueueError, QueueInfo, Queues, within};

/// Queues read at once.
const PAGE: usize = 200;
/// The most that one call answers with.
const MOST: usize = 1_000;

/// A page of queues, and the `after` of the next one.
type Page = (Vec<Arc<QueueInfo>>, Option<String>);

impl Queues {
    /// A page of an account's queues whose names begin with `prefix`, oldest first, and the next `after`.
    ///
    /// # Errors
    /// The journal's. An `after` that is none of ours is `InvalidParameterValue`.
    pub async fn list(
        &self,
        account: &Owner,
        prefix: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, QueueError> {
        let prefix = prefix.unwrap_or_default();
        self.walk(vec![Among::Owner(account.clone())], Vec::new(), after, limit, |queue| {
            queue.name().starts_with(prefix)
        })
        .await
    }

    /// A page of the queues whose dead letters go to the queue of that name.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, and as [`Queues::list`].
    pub async fn sources_of(
        &self,
        account: &Owner,
        name: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, QueueError> {
        self.find(account, name).await?;
        let fields = vec![("settings.redrive.target", name.to_owned())];
        self.walk(vec![Among::Owner(account.clone())], fields, after, limit, |_| true).await
    }

    /// A page of every account's queues of that name.
    ///
    /// # Errors
    /// As [`Queues::list`].
    pub async fn named(&self, name: &str, after: Option<&str>, limit: usize) -> Result<Page, QueueError> {
        self.walk(Vec::new(), vec![("name", name.to_owned())], after, limit, |_| true).await
    }

    async fn walk(
        &self,
        among: Vec<Among>,
        fields: Vec<(&'static str, String)>,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&Queue) -> bool,
    ) -> Result<Page, QueueError> {
        let unknown = |after: &str| Refusal::value(after, "NextToken", "The token is not one of this list.");
        let after = after.map(|after| after.parse::<u64>().map_err(|_| unknown(after))).transpose()?;
        let limit = limit.clamp(1, MOST);
        within(DEADLINE, async {
            let mut list = active(among, fields, after);
            let (mut found, mut last) = (Vec::new(), 0);
            loop {
                let page = self.journal.entities(list.clone()).await?;
                for entity in page.entities {
                    let Some(queue) = read(&entity)?.filter(|queue| wanted(queue)) else { continue };
                    if found.len() == limit {
                        return Ok((found, Some(last.to_string())));
                    }
                    last = entity.created_seq;
                    found.push(Arc::new(queue));
                }
                list.after = match page.next {
                    None => return Ok((found, None)),
                    next => next,
                };
            }
        })
        .await
    }
}

/// The list of the queues that are there.
pub(super) fn active(among: Vec<Among>, fields: Vec<(&'static str, String)>, after: Option<u64>) -> List {
    List {
        kind: Kind::Queue,
        among,
        statuses: vec![Status::Active.as_str().to_owned()],
        fields,
        ranges: Vec::new(),
        after,
        newest_first: false,
        limit: PAGE,
    }
}

/// A queue of messages; none where the row is a switch of one of the program's own queues.
pub(super) fn read(entity: &Entity) -> Result<Option<Queue>, Fault> {
    if entity.owner == Owner::system() && !entity.body.contains("\"generation\"") {
        return Ok(None);
    }
    Queue::from_entity(entity).map(Some).map_err(|error| Fault::Broken(format!("queue {}: {error}", entity.id)))
}
