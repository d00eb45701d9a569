//! Brings the schema up to date, under a lock, and starts a new history where the database is a copy.

use tokio_postgres::{Client, Error, Transaction};
use uuid::Uuid;

use super::rows::{fault, number};
use crate::Fault;
use crate::journal::Migrated;
use crate::postgres::Server;

/// In the order in which they are run; their number is the schema's version.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/postgres/0001_journal.sql"),
    include_str!("../../../migrations/postgres/0002_retention.sql"),
    include_str!("../../../migrations/postgres/0003_parties.sql"),
    include_str!("../../../migrations/postgres/0004_queues.sql"),
];
/// The advisory lock under which the schema changes: "twsc".
const LOCK: i64 = 0x7477_7363;
/// A migration may take long; whoever else starts waits for it.
const PARAMETERS: &str =
    "-c statement_timeout=0 -c lock_timeout=60000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC";
/// Where the database is: a copy that was restored elsewhere has another place.
const PLACE: &str = "select (select system_identifier from pg_control_system()),
    (select oid::bigint from pg_database where datname = current_database())";

/// Connects, and makes sure that the schema is this program's: by running what is missing, if it may.
pub(super) async fn prepare(server: &Server, may_migrate: bool) -> Result<(), Fault> {
    let mut client = connect(server).await?;
    server.check(&client).await?;
    let version = version(&client).await.map_err(|error| fault(&error))?;
    if version < MIGRATIONS.len() && !may_migrate {
        return Err(behind(server, version));
    }
    run(server, &mut client, version, false).await.map(drop)
}

/// Runs what is missing, and starts a new history if told to.
pub(super) async fn migrate(server: &Server, new_epoch: bool) -> Result<Migrated, Fault> {
    let mut client = connect(server).await?;
    server.check(&client).await?;
    let from = version(&client).await.map_err(|error| fault(&error))?;
    run(server, &mut client, from, new_epoch).await?;
    let row = client.query_one("select epoch from journal_head", &[]).await.map_err(|error| fault(&error))?;
    Ok(Migrated { from, to: MIGRATIONS.len(), epoch: number(&row, 0)? })
}

/// Makes sure that the schema is this program's, to look only.
pub(super) async fn look(server: &Server) -> Result<(), Fault> {
    let client = connect(server).await?;
    match version(&client).await.map_err(|error| fault(&error))? {
        0 => Err(server.refuse("there is no journal in it")),
        version if version > MIGRATIONS.len() => Err(unknown(server, version)),
        version if version < MIGRATIONS.len() => Err(behind(server, version)),
        _ => Ok(()),
    }
}

async fn connect(server: &Server) -> Result<Client, Fault> {
    let connected = server.config("tradewind migrate", PARAMETERS).connect(server.tls()).await;
    let (client, connection) = connected.map_err(|error| server.unreachable(&error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "journal: the connection for the schema broke");
        }
    });
    Ok(client)
}

/// How many migrations the database has seen.
async fn version(client: &Client) -> Result<usize, Error> {
    if !has_table(client, "journal_schema").await? {
        return Ok(0);
    }
    let row = client.query_one("select coalesce(max(version), 0) from journal_schema", &[]).await?;
    Ok(usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(usize::MAX))
}

/// Asked of the catalogue's rows as they are now: `to_regclass` may answer from before another process made the table.
async fn has_table(client: &Client, name: &str) -> Result<bool, Error> {
    let sql = "select exists (select from pg_tables where schemaname = any(current_schemas(false)) and tablename = $1)";
    client.query_one(sql, &[&name]).await?.try_get(0)
}

async fn run(server: &Server, client: &mut Client, version: usize, new_epoch: bool) -> Result<(), Fault> {
    if version > MIGRATIONS.len() {
        return Err(unknown(server, version));
    }
    if version < MIGRATIONS.len() {
        create(server, client).await?;
    }
    let place = place(client).await?;
    renew_epoch(client, place, new_epoch).await.map_err(|error| fault(&error))
}

/// Runs every migration that is missing, all in one transaction; whoever starts at the same time waits, and finds them done.
async fn create(server: &Server, client: &mut Client) -> Result<(), Fault> {
    let refuse = |error: Error| fault(&error);
    let transaction = client.transaction().await.map_err(refuse)?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(refuse)?;
    let version = version(transaction.client()).await.map_err(refuse)?;
    if version == 0 && has_table(transaction.client(), "entity").await.map_err(refuse)? {
        return Err(server.refuse("there is a table of another program in it; name another database"));
    }
    migrations(&transaction, version).await.map_err(refuse)?;
    transaction.commit().await.map_err(refuse)
}

async fn migrations(transaction: &Transaction<'_>, version: usize) -> Result<(), Error> {
    if version == 0 {
        transaction.batch_execute("create table journal_schema (version integer primary key)").await?;
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        transaction.batch_execute(migration).await?;
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        transaction.execute("insert into journal_schema values ($1)", &[&number]).await?;
    }
    if version == 0 {
        let sql = "insert into journal_head (one, seq, epoch, job, created, beat, system, database) values (1, 0, $1, 0, 0, 0, 0, 0)";
        transaction.execute(sql, &[&new_epoch()]).await?;
    }
    Ok(())
}

/// The system's identifier and the database's number; the first is 0 where this user may not ask for it.
async fn place(client: &Client) -> Result<(i64, i64), Fault> {
    if let Ok(row) = client.query_one(PLACE, &[]).await {
        return Ok((row.get(0), row.get(1)));
    }
    let sql = "select oid::bigint from pg_database where datname = current_database()";
    let row = client.query_one(sql, &[]).await.map_err(|error| fault(&error))?;
    Ok((0, row.get(0)))
}

/// Starts a new history where the database is a copy of the one that its head was written in, or where it is told to.
async fn renew_epoch(client: &Client, place: (i64, i64), told: bool) -> Result<(), Error> {
    let sql =
        "update journal_head set epoch = case when $1 or (database <> 0 and (database <> $3 or (system <> 0 and $2 <> 0
        and system <> $2))) then greatest(epoch + 1, $4) else epoch end, system = $2, database = $3
        where $1 or system <> $2 or database <> $3";
    client.execute(sql, &[&told, &place.0, &place.1, &new_epoch()]).await.map(drop)
}

/// Random, and larger than most before it.
fn new_epoch() -> i64 {
    let (high, low) = Uuid::now_v7().as_u64_pair();
    ((low.rotate_left(7) ^ high) & (i64::MAX / 2).cast_unsigned()).max(1).cast_signed()
}

fn behind(server: &Server, version: usize) -> Fault {
    let ours = MIGRATIONS.len();
    server.refuse(&format!("its schema version is {version}, this program needs {ours}; run `tradewind migrate` first"))
}

fn unknown(server: &Server, version: usize) -> Fault {
    let ours = MIGRATIONS.len();
    server.refuse(&format!(
        "its schema version is {version}, this program knows {ours}; use the release that wrote it, or a newer one"
    ))
}
