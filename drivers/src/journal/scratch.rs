//! A database for one measurement, beside another one on the same server; dropped, it is deleted.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::postgres::{Server, chain};
use crate::{Fault, without_secrets};

/// Making and deleting a database may wait for a checkpoint.
const PARAMETERS: &str = "-c statement_timeout=120000 -c lock_timeout=60000";

/// A new, empty database. The one that its URL was made from is left alone but for a connection to it.
pub struct Scratch {
    url: String,
    name: String,
    beside: Server,
}

/// Makes an empty database on the server of `url`, `postgres://user:password@host/database`, to measure or to test in.
/// The user needs the right to make databases.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason and what to do: as those of [`super::open`], or a user without that right.
pub async fn scratch(url: &str) -> Result<Scratch, Fault> {
    if !matches!(url.split_once(':'), Some(("postgres" | "postgresql", _))) {
        let shown = without_secrets(url);
        let why = format!("--journal {shown}: expected postgres://user:password@host/database");
        return Err(Fault::Unavailable(why));
    }
    let beside = Server::parse("--journal", url)?;
    let name = format!("tradewind_scratch_{}", Uuid::now_v7().simple());
    run(&beside, &format!("create database {name}")).await?;
    Ok(Scratch { url: renamed(url, &name), name, beside })
}

impl Scratch {
    /// The URL to open a journal at.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Scratch {
    /// Waits for it, on a thread with a runtime of its own: the caller's may be at its end.
    fn drop(&mut self) {
        let (beside, sql) = (self.beside.clone(), format!("drop database if exists {} with (force)", self.name));
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Fault::Unavailable(error.to_string()))?;
            runtime.block_on(run(&beside, &sql))
        });
        if let Ok(Err(fault)) = deleting.join() {
            tracing::warn!(%fault, "journal: the database {} is left behind", self.name);
        }
    }
}

async fn run(beside: &Server, sql: &str) -> Result<(), Fault> {
    let connected = beside.config("tradewind scratch", PARAMETERS).connect(beside.tls()).await;
    let (client, connection) = connected.map_err(|error| beside.unreachable(&error))?;
    let connection = tokio::spawn(connection);
    let done = async {
        beside.check(&client).await?;
        client.batch_execute(sql).await.map_err(|error| match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                beside.refuse("this user may not make databases; name one who may, or `alter role … createdb`")
            }
            _ => beside.refuse(&chain(&error)),
        })
    };
    let done = done.await;
    connection.abort();
    done
}

/// The URL with another database's name.
fn renamed(url: &str, name: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, None), |(base, options)| (base, Some(options)));
    let (scheme, rest) = base.split_once("://").unwrap_or((base, ""));
    let host = rest.split('/').next().unwrap_or_default();
    let options = options.map_or_else(String::new, |options| format!("?{options}"));
    format!("{scheme}://{host}/{name}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{migrate, open_read_only};

    #[test]
    fn only_the_name_of_the_database_changes() {
        for (url, renamed_to) in [
            ("postgres://u:p@h:1,i:2/d?pool=3&sslmode=disable", "postgres://u:p@h:1,i:2/new?pool=3&sslmode=disable"),
            ("postgresql://u@h/d", "postgresql://u@h/new"),
            ("postgres://u@h", "postgres://u@h/new"),
            ("postgres://u@h?pool=3", "postgres://u@h/new?pool=3"),
        ] {
            assert_eq!(renamed(url, "new"), renamed_to);
        }
    }

    #[tokio::test]
    async fn it_is_empty_apart_and_gone_at_the_end() {
        let database = testbed::database();
        let scratch = scratch(&database.url).await.unwrap();
        let url = scratch.url().to_owned();
        assert_eq!(migrate(&url, false).await.unwrap().from, 0);
        assert!(open_read_only(&url).await.is_ok());
        let beside = open_read_only(&database.url).await.err().unwrap().to_string();
        assert!(beside.contains("no journal"), "{beside}");
        drop(scratch);
        let gone = open_read_only(&url).await.err().unwrap().to_string();
        assert!(gone.contains("does not exist"), "{gone}");
    }

    #[tokio::test]
    async fn a_url_of_another_kind_is_refused() {
        let said = scratch("sqlite:secret.db").await.err().unwrap().to_string();
        assert!(said.contains("expected postgres://"), "{said}");
    }
}
