//! Pages of entities: each looks at a bounded number of rows, whatever the list filters by.

mod ranked;

use std::collections::BTreeSet;

use domain::{Entity, Kind};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, Statement};

use super::read::{ROWS_LIMIT, sql_number};
use super::rows;
use crate::journal::walks::{Stretch, Walked, Walks};
use crate::journal::{Among, List, Page};

/// The most rows that one page looks at: where filters match hardly anything it ends here, and the list goes on from here.
pub(super) const LOOK_AT: usize = 5_000;

/// A page of entities, read at one moment.
pub(super) fn entities(conn: &Connection, list: &List) -> Result<Page, Error> {
    conn.execute("savepoint page", [])?;
    let page = read(conn, list);
    conn.execute("release page", [])?;
    page
}

fn read(conn: &Connection, list: &List) -> Result<Page, Error> {
    if let Some(field) = list.unknown_field() {
        return Err(Error::InvalidParameterName(field.to_owned()));
    }
    let limit = list.limit.min(ROWS_LIMIT);
    if let [Among::Ranked(by)] = &list.among[..] {
        return ranked::read(conn, list, by, limit);
    }
    let mut found = walk(conn, list, limit)?;
    let next = if found.numbers.len() > limit {
        found.numbers.truncate(limit);
        found.numbers.last().copied().or(list.after)
    } else {
        found.goes_on
    };
    Ok(Page { entities: numbered(conn, &found.numbers)?, next, rank: None })
}

/// The entities of these numbers of creation.
fn numbered(conn: &Connection, numbers: &[u64]) -> Result<Vec<Entity>, Error> {
    let sql = format!("select {} from entity where created_seq = ?1", rows::ENTITY);
    let mut read = conn.prepare_cached(&sql)?;
    numbers.iter().map(|seq| read.query_row([sql_number(*seq)], rows::entity)).collect()
}

/// One more than `limit` shows that the page is not the last.
fn walk(conn: &Connection, list: &List, limit: usize) -> Result<Walked, Error> {
    let along = |paths: &[Path<'_>]| Search { conn, list }.walk(paths, limit + 1);
    let statuses: BTreeSet<&str> = list.statuses.iter().map(String::as_str).collect();
    let by_status: Vec<Path<'_>> = statuses.into_iter().map(Path::Status).collect();
    let among = list.among.iter().map(Path::of).collect::<Result<Vec<Path<'_>>, _>>()?;
    if among.is_empty() && by_status.is_empty() {
        let statuses = statuses_of(conn, list.kind)?;
        return along(&statuses.iter().map(|status| Path::Status(status)).collect::<Vec<_>>());
    }
    if among.is_empty() {
        return along(&by_status);
    }
    let one_owner = matches!(among[..], [Path::Owner(_)]);
    // A shop's list shows all states but one.
    let most_states = list.kind == Kind::ShopOrder && by_status.len() > 1;
    if by_status.is_empty() || !one_owner || list.kind == Kind::Deal || most_states {
        return along(&among);
    }
    // By state is quick where the state is rare. Where it looks at too much, all of the owner's own may be quicker. Both go
    // in the list's order, so the one that comes further knows more of it.
    let found = along(&by_status)?;
    if found.numbers.len() > limit || found.goes_on.is_none() {
        return Ok(found);
    }
    let other = along(&among)?;
    Ok(if other.is_further(&found, limit, list.newest_first) { other } else { found })
}

/// Every state that entities of the kind are in: a seek for each.
fn statuses_of(conn: &Connection, kind: Kind) -> Result<Vec<String>, Error> {
    let mut states = conn.prepare_cached(
        "with recursive state (name) as (
           select (select status from entity where kind = ?1 order by status limit 1)
           union all
           select (select status from entity where kind = ?1 and status > state.name order by status limit 1)
           from state where name is not null
         )
         select name from state where name is not null",
    )?;
    states.query_map([kind.as_str()], |row| row.get(0))?.collect()
}

/// Entities that an index has in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Path<'a> {
    Status(&'a str),
    Owner(&'a str),
    Party(&'a str),
    Parent(&'a str),
    Customer(&'a str),
}

impl<'a> Path<'a> {
    /// # Errors
    /// A list that goes by a number goes by nothing else.
    fn of(among: &'a Among) -> Result<Self, Error> {
        Ok(match among {
            Among::Owner(_) => Self::Owner(among.name()),
            Among::Party(_) => Self::Party(among.name()),
            Among::Parent(_) => Self::Parent(among.name()),
            Among::Customer(_) => Self::Customer(among.name()),
            Among::Ranked(_) => return Err(Error::InvalidParameterName("ranked beside others".to_owned())),
        })
    }

    fn name(self) -> &'a str {
        match self {
            Self::Status(name) | Self::Owner(name) | Self::Party(name) | Self::Parent(name) | Self::Customer(name) => {
                name
            }
        }
    }

    /// The column and the index.
    fn column(self, kind: Kind) -> (&'static str, &'static str) {
        match self {
            Self::Status(_) => ("status", "entity_by_status"),
            Self::Owner(_) if kind == Kind::Deal => ("owner", "deal_by_owner"),
            Self::Owner(_) => ("owner", "entity_by_owner"),
            Self::Party(_) => ("party", "entity_by_party"),
            Self::Parent(_) => ("parent", "entity_by_parent"),
            Self::Customer(_) => ("body ->> '$.customerKey'", "shop_order_by_customer"),
        }
    }
}

struct Search<'a> {
    conn: &'a Connection,
    list: &'a List,
}

impl Search<'_> {
    /// Walks all of the paths at once, for so many entities.
    fn walk(&self, paths: &[Path<'_>], want: usize) -> Result<Walked, Error> {
        let list = self.list;
        let begin = list.after.unwrap_or(if list.newest_first { i64::MAX.cast_unsigned() } else { 0 });
        // One walk stops by itself as soon as it has found enough.
        let first = if paths.len() == 1 { LOOK_AT } else { (2 * want / paths.len().max(1)).max(2) };
        let mut paths = paths.to_vec();
        // One statement serves all the paths along an index, one after the other.
        paths.sort_unstable();
        let mut walks = Walks::new(paths.len(), list.newest_first, begin, want, first).looking_at(LOOK_AT);
        loop {
            let mut turn = walks.turn();
            if turn.is_empty() {
                return Ok(walks.end());
            }
            turn.sort_unstable();
            let column = |walk: &usize| paths[*walk].column(list.kind);
            for same in turn.chunk_by(|a, b| column(a) == column(b)) {
                let mut statement = self.conn.prepare_cached(&self.statement(paths[same[0]]))?;
                self.bind(&mut statement, paths[same[0]])?;
                for walk in same {
                    let stretch = stretch(&mut statement, paths[*walk].name(), &walks, *walk)?;
                    walks.read(*walk, stretch);
                }
            }
        }
    }

    /// `?1` is the name, `?2` where to begin, `?3` how many rows to look at. Rows are a number of creation and whether the
    /// entity is wanted.
    fn statement(&self, path: Path<'_>) -> String {
        let (column, index) = path.column(self.list.kind);
        let (less, direction) = if self.list.newest_first { ("<", "desc") } else { (">", "asc") };
        let (kind, wanted) = (self.list.kind, self.wanted(path));
        format!(
            "select created_seq, {wanted} from entity indexed by {index} \
             where kind = '{kind}' and {column} = ?1 and created_seq {less} ?2 order by created_seq {direction} limit ?3"
        )
    }

    /// Whether a row is wanted. `iif` reads the body, which stands outside most indexes, only where the rest holds.
    fn wanted(&self, path: Path<'_>) -> String {
        let (mut cheap, mut dear, mut n) = (Vec::new(), Vec::new(), 4);
        let mut next = || {
            n += 1;
            n - 1
        };
        match path {
            Path::Status(_) => cheap.extend(self.owner().map(|_| format!("owner = ?{}", next()))),
            _ if self.list.statuses.is_empty() => {}
            _ => {
                let states: Vec<String> = self.list.statuses.iter().map(|_| format!("?{}", next())).collect();
                cheap.push(format!("status in ({})", states.join(", ")));
            }
        }
        let fields = self.list.fields.iter().map(|(field, _)| format!("body ->> '$.{field}' = ?{}", next()));
        dear.extend(fields);
        for (field, _) in &self.list.ranges {
            dear.push(format!("body ->> '$.{field}' between ?{} and ?{}", next(), next()));
        }
        let cheap = if cheap.is_empty() { "1".to_owned() } else { cheap.join(" and ") };
        if dear.is_empty() { cheap } else { format!("iif({cheap}, ifnull({}, 0), 0)", dear.join(" and ")) }
    }

    /// In the order of [`Self::wanted`].
    fn bind(&self, statement: &mut Statement<'_>, path: Path<'_>) -> Result<(), Error> {
        let list = self.list;
        let mut values: Vec<Value> = match path {
            Path::Status(_) => self.owner().map(|owner| owner.to_owned().into()).into_iter().collect(),
            _ => list.statuses.iter().map(|status| status.clone().into()).collect(),
        };
        values.extend(list.fields.iter().map(|(_, text)| Value::from(text.clone())));
        values.extend(list.ranges.iter().flat_map(|(_, range)| [Value::from(*range.start()), (*range.end()).into()]));
        for (n, value) in values.into_iter().enumerate() {
            statement.raw_bind_parameter(n + 4, value)?;
        }
        Ok(())
    }

    /// The one owner whose entities are looked for by state.
    fn owner(&self) -> Option<&str> {
        match &self.list.among[..] {
            [Among::Owner(owner)] => Some(owner.as_str()),
            _ => None,
        }
    }
}

/// Reads a walk on, until it has found enough or has looked at as much as it may.
fn stretch(statement: &mut Statement<'_>, name: &str, walks: &Walks, walk: usize) -> Result<Stretch, Error> {
    let length = walks.stretch();
    statement.raw_bind_parameter(1, name)?;
    statement.raw_bind_parameter(2, sql_number(walks.at(walk)))?;
    statement.raw_bind_parameter(3, length.cast_signed())?;
    let mut rows = statement.raw_query();
    let mut read = Stretch::default();
    while read.found.len() < walks.enough() {
        let Some(row) = rows.next()? else {
            read.over = read.looked < length;
            break;
        };
        let number = rows::number(row, 0)?;
        read.looked += 1;
        read.last = Some(number);
        if row.get(1)? {
            read.found.push(number);
        }
    }
    Ok(read)
}
