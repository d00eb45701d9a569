//! Pages of entities: each looks at a bounded number of rows, whatever the list filters by.

mod ranked;

use std::collections::BTreeSet;

use deadpool_postgres::{GenericClient, Object};
use domain::{Entity, Kind};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::read::{ROWS_LIMIT, has_zero_byte, sql_number};
use super::rows::{self, fault};
use crate::Fault;
use crate::journal::walks::{Stretch, Walked, Walks};
use crate::journal::{Among, List, Page};

/// The most rows that one page looks at: where filters match hardly anything it ends here, and the list goes on from here.
pub(super) const LOOK_AT: usize = 5_000;

const STATUSES_OF: &str = "with recursive state (name) as (
      select (select status from entity where kind = $1 order by status limit 1)
      union all
      select (select status from entity where kind = $1 and status > state.name order by status limit 1)
      from state where name is not null
    )
    select name from state where name is not null";

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
    if let Some(field) = list.unknown_field() {
        return Err(Fault::Broken(format!("no field is named {field:?}")));
    }
    if list.fields.iter().any(|(_, text)| has_zero_byte(text)) {
        return Ok(Page::default());
    }
    let limit = list.limit.min(ROWS_LIMIT);
    if let [Among::Ranked(by)] = &list.among[..] {
        return ranked::read(client, list, by, limit).await;
    }
    let mut found = walk(client, list, limit).await?;
    let next = if found.numbers.len() > limit {
        found.numbers.truncate(limit);
        found.numbers.last().copied().or(list.after)
    } else {
        found.goes_on
    };
    let mut entities = numbered(client, &found.numbers).await?;
    entities.sort_unstable_by_key(|entity| entity.created_seq);
    if list.newest_first {
        entities.reverse();
    }
    Ok(Page { entities, next, rank: None })
}

/// The entities of these numbers of creation, in no order.
async fn numbered(client: &impl GenericClient, numbers: &[u64]) -> Result<Vec<Entity>, Fault> {
    let numbers: Vec<i64> = numbers.iter().map(|number| sql_number(*number)).collect();
    let sql = format!("select {} from entity where created_seq = any($1::bigint[])", rows::ENTITY);
    let rows = query(client, &sql, &[&numbers]).await.map_err(|error| fault(&error))?;
    rows.iter().map(rows::entity).collect()
}

/// One more than `limit` shows that the page is not the last.
async fn walk(client: &impl GenericClient, list: &List, limit: usize) -> Result<Walked, Fault> {
    let search = Search { list, want: limit + 1 };
    let statuses = list.statuses.iter().filter(|status| !has_zero_byte(status)).cloned();
    let mut by_status: Vec<String> = statuses.collect::<BTreeSet<_>>().into_iter().collect();
    let mut among: Vec<Path> = list.among.iter().filter_map(Path::of).collect();
    among.sort_unstable();
    among.dedup();
    if list.among.is_empty() && list.statuses.is_empty() {
        let states = query(client, STATUSES_OF, &[&list.kind.as_str()]).await.map_err(|error| fault(&error))?;
        by_status = states.iter().map(|row| rows::get(row, 0)).collect::<Result<_, _>>()?;
    }
    let by_status: Vec<Path> = by_status.into_iter().map(|name| Path { along: Along::Status, name }).collect();
    if list.among.is_empty() {
        return search.walk(client, by_status).await;
    }
    let one_owner = matches!(among[..], [Path { along: Along::Owner, .. }]) && list.kind != Kind::Deal;
    // A shop's list shows all states but one.
    let most_states = list.kind == Kind::ShopOrder && by_status.len() > 1;
    if list.statuses.is_empty() || !one_owner || most_states {
        return search.walk(client, among).await;
    }
    // By state is quick where the state is rare. Where it looks at too much, all of the owner's own may be quicker. Both go
    // in the list's order, so the one that comes further knows more of it.
    let found = search.walk(client, by_status).await?;
    if found.numbers.len() > limit || found.goes_on.is_none() {
        return Ok(found);
    }
    let other = search.walk(client, among).await?;
    Ok(if other.is_further(&found, limit, list.newest_first) { other } else { found })
}

async fn query(client: &impl GenericClient, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
    client.query(&client.prepare_cached(sql).await?, values).await
}

const fn direction(list: &List) -> &'static str {
    if list.newest_first { "desc" } else { "asc" }
}

/// Entities that an index has in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Path {
    along: Along,
    name: String,
}

/// The column of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Along {
    Status,
    Owner,
    Party,
    Parent,
    Customer,
}

impl Path {
    fn of(among: &Among) -> Option<Self> {
        let along = match among {
            Among::Owner(_) => Along::Owner,
            Among::Party(_) => Along::Party,
            Among::Parent(_) => Along::Parent,
            Among::Customer(_) => Along::Customer,
            // It goes alone.
            Among::Ranked(_) => return None,
        };
        (!has_zero_byte(among.name())).then(|| Self { along, name: among.name().to_owned() })
    }
}

struct Search<'a> {
    list: &'a List,
    want: usize,
}

impl Search<'_> {
    /// Walks all of the paths at once: in each turn one statement for all that go along the same column.
    async fn walk(&self, client: &impl GenericClient, paths: Vec<Path>) -> Result<Walked, Fault> {
        let (list, count) = (self.list, paths.len());
        let begin = list.after.unwrap_or(if list.newest_first { i64::MAX.cast_unsigned() } else { 0 });
        let first = if count == 1 { self.want } else { (2 * self.want / count.max(1)).max(2) };
        let mut walks = Walks::new(count, list.newest_first, begin, self.want, first).looking_at(LOOK_AT);
        loop {
            let mut turn = walks.turn();
            if turn.is_empty() {
                return Ok(walks.end());
            }
            turn.sort_unstable();
            for same in turn.chunk_by(|a, b| paths[*a].along == paths[*b].along) {
                self.stretches(client, &paths, same, &mut walks).await?;
            }
        }
    }

    async fn stretches(
        &self,
        client: &impl GenericClient,
        paths: &[Path],
        turn: &[usize],
        walks: &mut Walks,
    ) -> Result<(), Fault> {
        let numbers: Vec<i32> = (0_i32..).take(turn.len()).collect();
        let names: Vec<&str> = turn.iter().map(|walk| paths[*walk].name.as_str()).collect();
        let begins: Vec<i64> = turn.iter().map(|walk| sql_number(walks.at(*walk))).collect();
        let length = i64::try_from(walks.stretch()).unwrap_or(i64::MAX);
        let along = paths[turn[0]].along;
        let owner = self.list.among.first().map(Among::name);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&numbers, &names, &begins, &length];
        match (along, &self.list.among[..]) {
            (Along::Status, [Among::Owner(_)]) => values.push(&owner),
            (Along::Status, _) => {}
            _ if self.list.statuses.is_empty() => {}
            _ => values.push(&self.list.statuses),
        }
        values.extend(self.list.fields.iter().map(|(_, text)| text as &(dyn ToSql + Sync)));
        let bounds: Vec<i64> = self.list.ranges.iter().flat_map(|(_, range)| [*range.start(), *range.end()]).collect();
        values.extend(bounds.iter().map(|bound| bound as &(dyn ToSql + Sync)));
        let rows = query(client, &self.statement(along), &values).await.map_err(|error| fault(&error))?;
        for row in &rows {
            let walk = usize::try_from(rows::get::<i32>(row, 0)?).ok().and_then(|n| turn.get(n));
            let looked = usize::try_from(rows::get::<i64>(row, 1)?).unwrap_or(usize::MAX);
            let mut found: Vec<u64> = rows::get::<Option<Vec<i64>>>(row, 3)?
                .unwrap_or_default()
                .into_iter()
                .map(i64::cast_unsigned)
                .collect();
            found.sort_unstable();
            if self.list.newest_first {
                found.reverse();
            }
            let last = rows::get::<Option<i64>>(row, 2)?.map(i64::cast_unsigned);
            if let Some(walk) = walk {
                walks.read(*walk, Stretch { found, looked, last, over: looked < walks.stretch() });
            }
        }
        Ok(())
    }

    /// `$1` to `$3` are the walks: their numbers, names and where each begins; `$4` how many rows to look at.
    fn statement(&self, along: Along) -> String {
        let (column, wanted) = (
            match along {
                Along::Status => "status",
                Along::Owner => "owner",
                Along::Party => "party",
                Along::Parent => "parent",
                Along::Customer => "(body::json ->> 'customerKey')",
            },
            self.wanted(along, 5),
        );
        let (less, last) = if self.list.newest_first { ("<", "min") } else { (">", "max") };
        let (kind, direction) = (self.list.kind, direction(self.list));
        format!(
            "select w.n, s.looked, s.last, s.found
            from unnest($1::integer[], $2::text[], $3::bigint[]) as w (n, name, begin) cross join lateral (
              select count(*) as looked, {last}(created_seq) as last, array_agg(created_seq) filter (where wanted) as found
              from (
                select created_seq, {wanted} as wanted from entity
                where kind = '{kind}' and {column} = w.name and created_seq {less} w.begin
                order by created_seq {direction} limit $4
              ) as looked
            ) as s"
        )
    }

    /// Whether a row is wanted, by the values from `first` on: what needs no look into the body comes first.
    fn wanted(&self, along: Along, first: usize) -> String {
        let (mut all, mut n) = (Vec::new(), first);
        let mut next = || {
            n += 1;
            n - 1
        };
        match (along, &self.list.among[..]) {
            (Along::Status, [Among::Owner(_)]) => all.push(format!("owner = ${}", next())),
            (Along::Status, _) => {}
            _ if self.list.statuses.is_empty() => {}
            _ => all.push(format!("status = any(${}::text[])", next())),
        }
        let path = |field: &str| field.replace('.', ",");
        all.extend(
            self.list.fields.iter().map(|(field, _)| format!("body::json #>> '{{{}}}' = ${}", path(field), next())),
        );
        for (field, _) in &self.list.ranges {
            let number = format!("(body::json #> '{{{}}}')::text", path(field));
            let within = format!("{number}::bigint between ${}::bigint and ${}::bigint", next(), next());
            all.push(format!("case when {number} ~ '^-?[0-9]{{1,18}}$' then {within} else false end"));
        }
        if all.is_empty() { "true".to_owned() } else { all.join(" and ") }
    }
}
