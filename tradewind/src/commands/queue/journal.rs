//! Queues in the journal itself, of which everything is known but what a running process counts.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use domain::queue::{Queue, id_of};
use domain::switch::PARENT;
use domain::{DeadJob, Kind, Owner, Timestamp};
use drivers::journal::{Journal, List, Options};
use engine::operator::{AT_ONCE, Operator, Standing, Verdict, Wanted};
use engine::queues::Queues;
use serde_json::{Value, json};

use crate::serve::plain;

/// Far longer than anything here takes.
const LEASE_MILLIS: u64 = 30_000;
/// Queues of messages read at once.
const PAGE: usize = 100;

/// A journal that is open for this command.
pub(super) struct Opened {
    journal: Arc<dyn Journal>,
    operator: Operator,
    queues: Queues,
    account: Owner,
}

impl Opened {
    pub(super) async fn at(url: &str, account: Option<&str>) -> anyhow::Result<Self> {
        let account = match account {
            Some(name) => Owner::parse(name).ok_or_else(|| anyhow!("--account: not an account name"))?,
            None => Owner::default(),
        };
        let wake = drivers::wake::open(drivers::wake::default_for(url), url).await.map_err(plain)?;
        let options = Options { wake: Arc::clone(&wake), lease_millis: LEASE_MILLIS, migrate: false };
        let journal = drivers::journal::open(url, options).await.map_err(plain)?;
        let operator = Operator::new(&journal);
        let queues = Queues::of_journal(&journal, &wake);
        Ok(Self { journal, operator, queues, account })
    }

    pub(super) async fn close(self) {
        self.journal.close().await;
    }

    /// The program's own queues on the first page, and pages of those of messages.
    pub(super) async fn queues(&self, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let after = named(query, "cursor").map(str::parse).transpose()?;
        let mut data = Vec::new();
        if after.is_none() {
            for queue in self.operator.queues() {
                data.push(own(&self.operator.standing(queue).await.map_err(plain)?));
            }
        }
        let list = List {
            kind: Kind::Queue,
            among: Vec::new(),
            statuses: vec!["active".to_owned()],
            fields: Vec::new(),
            ranges: Vec::new(),
            after,
            newest_first: false,
            limit: PAGE,
        };
        let page = self.journal.entities(list).await.map_err(plain)?;
        for row in page.entities.iter().filter(|row| row.parent.as_deref() != Some(PARENT)) {
            data.push(self.of_messages(&Queue::from_entity(row)?).await?);
        }
        Ok(json!({ "data": data, "nextCursor": page.next.map(|next| next.to_string()) }))
    }

    /// Shows a queue, after doing something with it.
    pub(super) async fn queue(&self, name: &str, action: &str) -> anyhow::Result<Value> {
        if let Some(queue) = self.operator.own(name) {
            match action {
                "purge" => bail!("QUEUE_OWN: {name} is the program's own: pause it, or discard the jobs that are dead"),
                "pause" | "resume" => {
                    self.operator.turn(queue, action == "pause", &self.account).await.map_err(plain)?;
                }
                _ => {}
            }
            return Ok(own(&self.operator.standing(queue).await.map_err(plain)?));
        }
        match action {
            "purge" => drop(self.queues.purge(&self.account, name).await?),
            "pause" | "resume" => drop(self.queues.pause(&self.account, name, action == "pause").await?),
            _ => {}
        }
        let row = self.journal.entity(Kind::Queue, &id_of(&self.account, name)).await.map_err(plain)?;
        let queue = row.as_ref().map(Queue::from_entity).transpose()?.filter(Queue::is_active);
        let queue = queue.ok_or_else(|| anyhow!("QUEUE_NOT_FOUND: there is no such queue of {}", self.account))?;
        self.of_messages(&queue).await
    }

    async fn of_messages(&self, queue: &Queue) -> anyhow::Result<Value> {
        let counts = self.queues.counts(queue).await?;
        let dead = match &queue.settings().redrive {
            Some(redrive) => match self.queues.find(&queue.account, &redrive.target).await {
                Ok(target) => {
                    let counts = self.queues.counts(&target).await?;
                    Some(counts.visible + counts.hidden + counts.delayed)
                }
                Err(_) => None,
            },
            None => None,
        };
        Ok(json!({
            "name": queue.name(), "kind": "messages", "account": queue.account, "paused": queue.body.paused,
            "depth": counts.visible + counts.hidden + counts.delayed, "ready": counts.visible,
            "inFlight": counts.hidden, "delayed": counts.delayed, "dead": dead,
            "oldestAgeMillis": counts.oldest.map(age), "ratePerSecond": null
        }))
    }

    /// A page of the dead jobs.
    pub(super) async fn dead(&self, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let after = named(query, "cursor").map(str::parse).transpose()?;
        let limit = named(query, "limit").map(str::parse).transpose()?.unwrap_or(100);
        let wanted = self.wanted(named(query, "queue"), named(query, "error"), named(query, "group"))?;
        let found = self.operator.dead(&wanted, after, limit).await.map_err(plain)?;
        let data: Vec<Value> = found.jobs.iter().map(dead_job).collect();
        Ok(json!({ "data": data, "nextCursor": found.next.map(|next| next.to_string()) }))
    }

    /// The groups of errors of a part of the dead jobs.
    pub(super) async fn errors(&self, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let after = named(query, "cursor").map(str::parse).transpose()?;
        let wanted = self.wanted(named(query, "queue"), named(query, "error"), None)?;
        let found = self.operator.errors(&wanted, after).await.map_err(plain)?;
        let group = |group: &engine::operator::Group| {
            json!({"queue": group.queue, "group": group.error, "count": group.count,
                "newestAt": group.newest, "example": group.example.to_string()})
        };
        let data: Vec<Value> = found.groups.iter().map(group).collect();
        Ok(json!({ "data": data, "nextCursor": found.next.map(|next| next.to_string()) }))
    }

    pub(super) async fn judge(&self, id: u64, verdict: Verdict) -> anyhow::Result<()> {
        if !self.operator.judge(id, verdict).await.map_err(plain)? {
            bail!("DEAD_JOB_NOT_FOUND: there is no such dead job");
        }
        Ok(())
    }

    /// A part of those that match, in the words of the API.
    pub(super) async fn judge_all(&self, asked: &Value, verdict: Verdict) -> anyhow::Result<Value> {
        let text = |name: &str| asked.get(name).and_then(Value::as_str);
        let wanted = self.wanted(text("queue").filter(|queue| *queue != "*"), text("error"), text("group"))?;
        let after = text("cursor").map(str::parse).transpose()?;
        let judged = self.operator.judge_all(&wanted, after, AT_ONCE, verdict).await.map_err(plain)?;
        Ok(json!({ "done": judged.done, "nextCursor": judged.next.map(|next| next.to_string()) }))
    }

    fn wanted(&self, queue: Option<&str>, error: Option<&str>, group: Option<&str>) -> anyhow::Result<Wanted> {
        let unknown = || anyhow!("QUEUE_NOT_FOUND: there is no such queue of the program's own");
        let queue = queue.map(|queue| self.operator.own(queue).ok_or_else(unknown)).transpose()?;
        Ok(Wanted { queue, error: error.map(str::to_owned), group: group.map(str::to_owned) })
    }
}

fn named<'a>(query: &[(&str, &'a str)], wanted: &str) -> Option<&'a str> {
    query.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
}

fn own(standing: &Standing) -> Value {
    let Standing { queue, depth, switch, .. } = standing;
    let mut view = json!({
        "name": queue, "kind": "jobs", "account": null, "paused": switch.paused,
        "depth": depth.ready + depth.leased + depth.waiting, "ready": depth.ready, "inFlight": depth.leased,
        "delayed": depth.waiting, "dead": depth.dead, "oldestAgeMillis": depth.oldest.map(age), "ratePerSecond": null
    });
    if switch.paused {
        view["pausedAt"] = json!(switch.at);
        view["pausedBy"] = json!(switch.by);
    }
    view
}

fn dead_job(dead: &DeadJob) -> Value {
    let job = &dead.job;
    json!({
        "id": job.id.to_string(), "queue": job.queue, "group": job.group, "lane": job.lane, "attempts": job.attempt,
        "error": dead.why, "diedAt": dead.died_at, "parked": dead.parked, "body": job.body
    })
}

fn age(since: Timestamp) -> u64 {
    u64::try_from(engine::clock::now().as_millis() - since.as_millis()).unwrap_or(0)
}
