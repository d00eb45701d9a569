//! Pages of entities: each looks at a bounded number of rows, whatever the list filters by.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, Error, params_from_iter};

use super::read::{ROWS_LIMIT, sql_number};
use super::rows;
use crate::journal::{List, Page};

/// The most rows that one walk looks at: a page whose filters match hardly anything ends here, and goes on from here.
pub(super) const LOOK_AT: usize = 10_000;

/// A page of entities, read at one moment.
pub(super) fn entities(conn: &Connection, list: &List) -> Result<Page, Error> {
    conn.execute("savepoint page", [])?;
    let page = read(conn, list);
    conn.execute("release page", [])?;
    page
}

/// With states the walk goes by state: quick where they are rare. Where it looks at too much, the owner's own entities
/// may be quicker. Both go in the list's order, so the one that comes further knows more of it.
fn read(conn: &Connection, list: &List) -> Result<Page, Error> {
    let limit = list.limit.min(ROWS_LIMIT);
    let by_owner = || Search::of(list)?.by_owner();
    let mut found = match (list.statuses.is_empty(), &list.owner) {
        (true, Some(_)) => by_owner()?.walk(conn, limit)?,
        (true, None) => Search::of(list)?.by_number().walk(conn, limit)?,
        (false, _) => Search::of(list)?.by_status().walk(conn, limit)?,
    };
    if !list.statuses.is_empty() && list.owner.is_some() && found.is_short(limit) {
        let other = by_owner()?.walk(conn, limit)?;
        if other.reach(list) > found.reach(list) {
            found = other;
        }
    }
    let sql = format!("select {} from entity where created_seq = ?1", rows::ENTITY);
    let mut read = conn.prepare_cached(&sql)?;
    let entities = found.seqs.iter().map(|seq| read.query_row([sql_number(*seq)], rows::entity));
    Ok(Page { entities: entities.collect::<Result<_, _>>()?, next: found.next })
}

/// What a walk found.
struct Found {
    seqs: Vec<u64>,
    /// Where the list goes on.
    next: Option<u64>,
}

impl Found {
    /// Whether it stopped because it had looked at enough, not because the page was full or the list over.
    fn is_short(&self, limit: usize) -> bool {
        self.next.is_some() && self.seqs.len() < limit
    }

    /// Grows with how far it came; the end is furthest.
    fn reach(&self, list: &List) -> (bool, Option<u64>, Option<Reverse<u64>>) {
        let next = self.next.filter(|_| !list.newest_first);
        (self.next.is_none(), next, self.next.filter(|_| list.newest_first).map(Reverse))
    }
}

/// One walk: its statement, whose rows are numbers of creation and whether each is wanted, and what it binds.
struct Search<'a> {
    list: &'a List,
    values: Vec<Value>,
    sql: String,
}

impl<'a> Search<'a> {
    /// `?1` is the kind, `?2` where to begin, `?3` how many rows to look at.
    fn of(list: &'a List) -> Result<Self, Error> {
        if let Some((field, _)) = list.fields.iter().find(|(field, _)| !is_plain(field)) {
            return Err(Error::InvalidParameterName((*field).to_owned()));
        }
        let begin = list.after.map_or(if list.newest_first { i64::MAX } else { -1 }, sql_number);
        let values = vec![list.kind.as_str().to_owned().into(), begin.into(), sql_number(LOOK_AT as u64).into()];
        Ok(Self { list, values, sql: String::new() })
    }

    fn bind(&mut self, text: &str) -> usize {
        self.values.push(text.to_owned().into());
        self.values.len()
    }

    /// Along the list's own states, all of them merged; the owner stands in the index.
    fn by_status(mut self) -> Self {
        let list = self.list;
        let less = self.less();
        let owner = list.owner.as_ref().map(|owner| format!("owner = ?{}", self.bind(owner.as_str())));
        let wanted = self.wanted(owner);
        let states: BTreeSet<&String> = list.statuses.iter().collect();
        let walk = |n| {
            format!(
                "select created_seq, {wanted} from entity indexed by entity_by_status \
                 where kind = ?1 and status = ?{n} and created_seq {less} ?2"
            )
        };
        let walks: Vec<String> = states.into_iter().map(|status| walk(self.bind(status))).collect();
        self.sql = walks.join(" union all ");
        self
    }

    /// Along everything that is the owner's.
    fn by_owner(mut self) -> Result<Self, Error> {
        let (list, less) = (self.list, self.less());
        let owner = list.owner.as_ref().ok_or(Error::InvalidQuery)?;
        let n = self.bind(owner.as_str());
        let states: Vec<String> = list.statuses.iter().map(|status| format!("?{}", self.bind(status))).collect();
        let status = (!states.is_empty()).then(|| format!("status in ({})", states.join(", ")));
        let wanted = self.wanted(status);
        self.sql = format!(
            "select created_seq, {wanted} from entity indexed by entity_by_owner \
             where kind = ?1 and owner = ?{n} and created_seq {less} ?2"
        );
        Ok(self)
    }

    /// Along everything there is.
    fn by_number(mut self) -> Self {
        let less = self.less();
        let wanted = self.wanted(Some("kind = ?1".to_owned()));
        self.sql = format!("select created_seq, {wanted} from entity not indexed where created_seq {less} ?2");
        self
    }

    const fn less(&self) -> char {
        if self.list.newest_first { '<' } else { '>' }
    }

    /// Whether a row is wanted. `iif` reads the body, which stands outside the index, only where the rest holds.
    fn wanted(&mut self, cheap: Option<String>) -> String {
        let list = self.list;
        let cheap = cheap.unwrap_or_else(|| "1".to_owned());
        let fields = list.fields.iter().map(|(field, text)| format!("body ->> '$.{field}' = ?{}", self.bind(text)));
        let fields: Vec<String> = fields.collect();
        if fields.is_empty() { cheap } else { format!("iif({cheap}, ifnull({}, 0), 0)", fields.join(" and ")) }
    }

    /// Goes until the page is full and one more shows that it is not the last, the end, or enough was looked at.
    fn walk(self, conn: &Connection, limit: usize) -> Result<Found, Error> {
        let direction = if self.list.newest_first { "desc" } else { "asc" };
        let sql = format!("{} order by created_seq {direction} limit ?3", self.sql);
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        let (mut seqs, mut looked, mut last) = (Vec::new(), 0, 0);
        while let Some(row) = rows.next()? {
            looked += 1;
            last = rows::number(row, 0)?;
            if row.get(1)? {
                if seqs.len() == limit {
                    let next = seqs.last().copied();
                    return Ok(Found { seqs, next });
                }
                seqs.push(last);
            }
        }
        Ok(Found { seqs, next: (looked == LOOK_AT).then_some(last) })
    }
}

/// Field paths come from the program; this keeps it so that no other text ever gets into a statement.
fn is_plain(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}
