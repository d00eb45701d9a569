//! Pages of entities: each looks at a bounded number of rows, whatever the list filters by.

use deadpool_postgres::{GenericClient, Object};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::read::{ROWS_LIMIT, has_zero_byte, sql_number};
use super::rows::{self, fault};
use crate::Fault;
use crate::journal::{List, Page};

/// The most rows that one page looks at: where filters match hardly anything it ends here, and the list goes on from here.
pub(super) const LOOK_AT: i64 = 10_000;

/// A page of entities.
pub(super) async fn entities(client: &mut Object, list: &List) -> Result<Page, Fault> {
    // One statement sees one moment, and so does the next one only in a transaction like this.
    let snapshot = client.build_transaction().read_only(true);
    let transaction = snapshot.isolation_level(tokio_postgres::IsolationLevel::RepeatableRead).start().await;
    let transaction = transaction.map_err(|error| fault(&error))?;
    let page = read(&transaction, list).await?;
    transaction.commit().await.map_err(|error| fault(&error))?;
    Ok(page)
}

/// A page, on a session that is in a transaction of one moment.
pub(super) async fn read(client: &impl GenericClient, list: &List) -> Result<Page, Fault> {
    if let Some((field, _)) = list.fields.iter().find(|(field, _)| !is_plain(field)) {
        return Err(Fault::Broken(format!("no field is named {field:?}")));
    }
    if list.fields.iter().any(|(_, text)| has_zero_byte(text)) || list.statuses.iter().any(|text| has_zero_byte(text)) {
        return Ok(Page::default());
    }
    let limit = list.limit.min(ROWS_LIMIT);
    let search = Search::of(list);
    let values = search.values();
    // One more shows whether the page is the last.
    let sql = search.page(limit + 1);
    let found = query(client, &sql, &values).await.map_err(|error| fault(&error))?;
    let mut entities = found.iter().map(rows::entity).collect::<Result<Vec<_>, _>>()?;
    let next = if entities.len() > limit {
        entities.truncate(limit);
        entities.last().map(|entity| entity.created_seq).or(list.after)
    } else {
        let last = query(client, &search.last(), &values).await.map_err(|error| fault(&error))?;
        last.first().map(|row| rows::number(row, 0)).transpose()?
    };
    Ok(Page { entities, next })
}

async fn query(
    client: &impl GenericClient,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<tokio_postgres::Row>, Error> {
    client.query(&client.prepare_cached(sql).await?, values).await
}

/// The walk along one index, and the filters of what it meets.
struct Search<'a> {
    list: &'a List,
    begin: i64,
    kind: &'static str,
    owner: &'a str,
    statuses: Vec<&'a str>,
}

impl<'a> Search<'a> {
    fn of(list: &'a List) -> Self {
        let begin = list.after.map_or(if list.newest_first { i64::MAX } else { -1 }, sql_number);
        let owner = list.owner.as_ref().map_or("", |owner| owner.as_str());
        let mut statuses: Vec<&str> = list.statuses.iter().map(String::as_str).collect();
        statuses.sort_unstable();
        statuses.dedup();
        Self { list, begin, kind: list.kind.as_str(), owner, statuses }
    }

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&self.begin, &self.kind, &self.owner];
        values.extend(self.statuses.iter().map(|status| status as &(dyn ToSql + Sync)));
        values.extend(self.list.fields.iter().map(|(_, text)| text as &(dyn ToSql + Sync)));
        values
    }

    /// The rows that the walk looks at, in the list's order: by state where the list names some, else by owner, else all.
    fn walk(&self) -> String {
        let (less, direction) = if self.list.newest_first { ("<", "desc") } else { (">", "asc") };
        let walk = |by: &str| {
            format!(
                "(select * from entity where {by} and created_seq {less} $1 order by created_seq {direction} limit {LOOK_AT})"
            )
        };
        let by_status: Vec<String> =
            (0..self.statuses.len()).map(|n| walk(&format!("kind = $2 and status = ${}", n + 4))).collect();
        let rows = match (by_status.is_empty(), self.owner.is_empty()) {
            (false, _) => by_status.join(" union all "),
            (true, false) => walk("kind = $2 and owner = $3"),
            (true, true) => walk("true"),
        };
        format!("select * from ({rows}) as walk order by created_seq {direction} limit {LOOK_AT}")
    }

    /// The entities of the walk that the list wants.
    fn page(&self, limit: usize) -> String {
        let mut wanted = vec!["kind = $2".to_owned(), "($3 = '' or owner = $3)".to_owned()];
        let first = self.statuses.len() + 4;
        for (n, (field, _)) in self.list.fields.iter().enumerate() {
            wanted.push(format!("body::json #>> '{{{}}}' = ${}", field.replace('.', ","), first + n));
        }
        let direction = if self.list.newest_first { "desc" } else { "asc" };
        let (columns, walk, wanted) = (rows::ENTITY, self.walk(), wanted.join(" and "));
        format!(
            "select {columns} from ({walk}) as looked where {wanted} order by created_seq {direction} limit {limit}"
        )
    }

    /// Where the walk ended because it had looked at enough; no row where it came to the list's end.
    fn last(&self) -> String {
        let direction = if self.list.newest_first { "desc" } else { "asc" };
        let all = format!("$2::text is not null and $3::text is not null{}", self.mentions());
        format!(
            "select created_seq from ({}) as looked where {all} order by created_seq {direction} offset {} limit 1",
            self.walk(),
            LOOK_AT - 1
        )
    }

    /// Every value has to be named in a statement, so that it has a type.
    fn mentions(&self) -> String {
        let first = self.statuses.len() + 4;
        (0..self.list.fields.len()).map(|n| format!(" and ${}::text is not null", first + n)).collect()
    }
}

/// Field paths come from the program; this keeps it so that no other text ever gets into a statement.
fn is_plain(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}
