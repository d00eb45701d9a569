//! `tradewind queue`: how queues stand, and the jobs that were given up, on a running server or in its journal.

mod journal;
mod show;

use std::fmt::Write;

use engine::operator::Verdict;
use serde_json::{Value, json};

use self::journal::Opened;
use self::show::{DeadJob, Group, cut, print, row, table};
use super::{columns, line};
use crate::client::Client;
use crate::config::{Dead, Judge, OneQueue, Place, Queue, QueueAction, QueueList, Which};

const QUEUES: &str = "/v1/admin/queues";
const DEAD: &str = "/v1/admin/dead-jobs";

/// Does what is asked.
pub(crate) async fn run(settings: Queue) -> anyhow::Result<u8> {
    match settings.action {
        QueueAction::List(settings) => list(settings).await,
        QueueAction::Show(settings) => one(settings, "").await,
        QueueAction::Pause(settings) => one(settings, "pause").await,
        QueueAction::Resume(settings) => one(settings, "resume").await,
        QueueAction::Purge(settings) => one(settings, "purge").await,
        QueueAction::Dead(settings) if settings.errors => errors(settings).await,
        QueueAction::Dead(settings) => dead(settings).await,
        QueueAction::Retry(settings) => judge(settings, Verdict::Retry).await,
        QueueAction::Discard(settings) => judge(settings, Verdict::Discard).await,
    }
}

/// Where the queues are: a server or a journal. Both answer alike.
enum Keeper {
    Server(Client),
    Journal(Box<Opened>),
}

impl Keeper {
    async fn of(place: &Place) -> anyhow::Result<Self> {
        Ok(match &place.journal {
            Some(url) => Self::Journal(Box::new(Opened::at(url, place.remote.account.as_deref()).await?)),
            None => Self::Server(Client::new(&place.remote)?),
        })
    }

    /// A page of a list.
    async fn page(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        match self {
            Self::Server(client) => client.get(path, query).await,
            Self::Journal(journal) if path == QUEUES => journal.queues(query).await,
            Self::Journal(journal) if path == DEAD => journal.dead(query).await,
            Self::Journal(journal) => journal.errors(query).await,
        }
    }

    async fn close(self) {
        if let Self::Journal(journal) = self {
            journal.close().await;
        }
    }
}

async fn list(settings: QueueList) -> anyhow::Result<u8> {
    let keeper = Keeper::of(&settings.place).await?;
    let listed = pages(&keeper, QUEUES, &[("limit", "100".to_owned())], u64::MAX).await;
    keeper.close().await;
    let queues = listed?;
    if settings.place.remote.json {
        return print(&queues);
    }
    let head = ["queue", "account", "state", "depth", "ready", "in flight", "delayed", "dead", "oldest", "per second"];
    let mut rows = vec![head.map(str::to_owned)];
    for queue in queues {
        rows.push(row(serde_json::from_value(queue)?));
    }
    for text in columns(&rows, [0, 1, 2]) {
        line(text)?;
    }
    Ok(0)
}

async fn one(settings: OneQueue, action: &str) -> anyhow::Result<u8> {
    let OneQueue { name, place } = settings;
    let keeper = Keeper::of(&place).await?;
    let answered = match &keeper {
        Keeper::Server(client) => {
            let path = format!("{QUEUES}/{}", segment(&name));
            match action {
                "" => client.get(&path, &[]).await,
                _ => client.post(&format!("{path}/{action}"), &json!({}), None).await,
            }
        }
        Keeper::Journal(journal) => journal.queue(&name, action).await,
    };
    keeper.close().await;
    let answered = answered?;
    if place.remote.json {
        line(answered)?;
        return Ok(0);
    }
    let [name, account, state, depth, ready, in_flight, delayed, dead, oldest, rate] =
        row(serde_json::from_value(answered)?);
    let of = if account.is_empty() { String::new() } else { format!(" of {account}") };
    line(format_args!("{name}{of} is {state}"))?;
    line(format_args!("  {depth} in all: {ready} ready, {in_flight} in flight, {delayed} delayed; {dead} dead"))?;
    line(format_args!("  oldest ready for {oldest}; {rate} finished per second by the process that answers"))?;
    Ok(0)
}

async fn dead(settings: Dead) -> anyhow::Result<u8> {
    let keeper = Keeper::of(&settings.place).await?;
    let mut query = filters(&settings.which);
    query.push(("limit", settings.limit.min(100).to_string()));
    let listed = pages(&keeper, DEAD, &query, settings.limit).await;
    keeper.close().await;
    let jobs = listed?;
    if settings.place.remote.json {
        return print(&jobs);
    }
    let mut rows = vec![["id", "queue", "attempts", "died at", "group waits", "error"].map(str::to_owned)];
    for job in jobs {
        let DeadJob { id, queue, attempts, died_at, parked, error } = serde_json::from_value(job)?;
        let waits = if parked { "yes" } else { "" };
        rows.push([id, queue, attempts.to_string(), died_at, waits.to_owned(), cut(&error)]);
    }
    table(&rows, &[0, 1, 3, 4, 5])
}

async fn errors(settings: Dead) -> anyhow::Result<u8> {
    let keeper = Keeper::of(&settings.place).await?;
    let listed = pages(&keeper, &format!("{DEAD}/errors"), &filters(&settings.which), u64::MAX).await;
    keeper.close().await;
    let mut groups: Vec<Group> = Vec::new();
    for page in listed? {
        let found: Group = serde_json::from_value(page)?;
        // A group may come again where there were too many to look at in one go.
        match groups.iter_mut().find(|group| group.queue == found.queue && group.group == found.group) {
            Some(group) => {
                group.count += found.count;
                if found.newest_at > group.newest_at {
                    (group.newest_at, group.example) = (found.newest_at, found.example);
                }
            }
            None => groups.push(found),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups.truncate(usize::try_from(settings.limit).unwrap_or(usize::MAX));
    if settings.place.remote.json {
        for Group { queue, group, count, newest_at, example } in groups {
            line(json!({"queue": queue, "group": group, "count": count, "newestAt": newest_at, "example": example}))?;
        }
        return Ok(0);
    }
    let mut rows = vec![["count", "queue", "newest", "its id", "group"].map(str::to_owned)];
    for Group { queue, group, count, newest_at, example } in groups {
        rows.push([count.to_string(), queue, newest_at, example, group]);
    }
    table(&rows, &[1, 2, 3, 4])
}

async fn judge(settings: Judge, verdict: Verdict) -> anyhow::Result<u8> {
    let Judge { id, which, place, .. } = settings;
    let (action, said) = match verdict {
        Verdict::Retry => ("retry", "retried"),
        Verdict::Discard => ("discard", "discarded"),
    };
    let keeper = Keeper::of(&place).await?;
    let done = match id {
        Some(id) => match &keeper {
            Keeper::Server(client) => client.post(&format!("{DEAD}/{id}/{action}"), &json!({}), None).await.map(|_| 1),
            Keeper::Journal(journal) => journal.judge(id, verdict).await.map(|()| 1),
        },
        None => judge_all(&keeper, &which, verdict, action).await,
    };
    keeper.close().await;
    let done = done?;
    match place.remote.json {
        true => line(json!({ "done": done }))?,
        false => line(format_args!("{done} {said}"))?,
    }
    Ok(0)
}

/// Until none are left: each request does a bounded part.
async fn judge_all(keeper: &Keeper, which: &Which, verdict: Verdict, action: &str) -> anyhow::Result<u64> {
    let mut asked = json!({ "queue": which.queue.as_deref().unwrap_or("*") });
    for (name, text) in [("error", &which.error), ("group", &which.group)] {
        if let Some(text) = text {
            asked[name] = text.as_str().into();
        }
    }
    let mut done = 0;
    loop {
        let part = match keeper {
            Keeper::Server(client) => client.post(&format!("{DEAD}/{action}"), &asked, None).await?,
            Keeper::Journal(journal) => journal.judge_all(&asked, verdict).await?,
        };
        done += part.get("done").and_then(Value::as_u64).unwrap_or(0);
        match part.get("nextCursor").filter(|cursor| cursor.is_string()) {
            Some(cursor) => asked["cursor"] = cursor.clone(),
            None => return Ok(done),
        }
    }
}

/// What all pages of a list hold, at most `most`.
async fn pages(keeper: &Keeper, path: &str, query: &[(&str, String)], most: u64) -> anyhow::Result<Vec<Value>> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = keeper.page(path, &query).await?;
        found.extend(page.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
        cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || found.len() as u64 >= most {
            found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            return Ok(found);
        }
    }
}

fn filters(which: &Which) -> Vec<(&'static str, String)> {
    let named = [("queue", &which.queue), ("error", &which.error), ("group", &which.group)];
    named.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect()
}

/// A name as one part of a path (RFC 3986).
fn segment(name: &str) -> String {
    name.bytes().fold(String::new(), |mut path, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            path.push(char::from(b));
        } else {
            // Writing to a String does not fail.
            let _ = write!(path, "%{b:02X}");
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        assert_eq!(segment("a b/é.fifo"), "a%20b%2F%C3%A9.fifo");
    }
}
