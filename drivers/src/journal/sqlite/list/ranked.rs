//! Shop orders in the order of a number: along an index of its own, a bounded number of rows for each page.

use rusqlite::{Connection, Error};

use super::{LOOK_AT, Path, Search, numbered};
use crate::journal::sqlite::rows;
use crate::journal::{List, Page, Rank, Ranked};

/// A page; one more than `limit` shows that it is not the last.
pub(super) fn read(conn: &Connection, list: &List, by: &Ranked, limit: usize) -> Result<Page, Error> {
    let search = Search { conn, list };
    let path = Path::Owner(by.owner.as_str());
    let ((rank, seq), last) = by.bounds(list);
    let mut found: Vec<(u64, i64)> = Vec::new();
    let (mut looked, mut at) = (0, None);
    // Those of the same number as where the page begins, then those beyond it.
    for (ties, from, to) in [(true, rank, seq), (false, rank, last)] {
        let mut statement = conn.prepare_cached(&statement(&search, by.by, ties))?;
        search.bind(&mut statement, path)?;
        statement.raw_bind_parameter(1, by.owner.as_str())?;
        statement.raw_bind_parameter(2, from)?;
        statement.raw_bind_parameter(3, to)?;
        let mut rows = statement.raw_query();
        while found.len() <= limit && looked < LOOK_AT {
            let Some(row) = rows.next()? else { break };
            let place = (rows::number(row, 0)?, row.get(1)?);
            (looked, at) = (looked + 1, Some(place));
            if row.get(2)? {
                found.push(place);
            }
        }
    }
    let next = if found.len() > limit {
        found.truncate(limit);
        found.last().copied()
    } else {
        at.filter(|_| looked == LOOK_AT)
    };
    let numbers: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
    Ok(Page { entities: numbered(conn, &numbers)?, next: next.map(|(seq, _)| seq), rank: next.map(|(_, rank)| rank) })
}

/// `?1` is the owner; `?2` and `?3` are number and `created_seq`, or where the numbers begin and end.
fn statement(search: &Search<'_>, by: Rank, ties: bool) -> String {
    let (number, index) = match by {
        Rank::CreatedAt => ("created_at", "shop_order_by_time"),
        Rank::Total => ("body ->> '$.total'", "shop_order_by_total"),
    };
    let list = search.list;
    let (beyond, up_to, direction) = if list.newest_first { ("<", ">=", "desc") } else { (">", "<=", "asc") };
    let stretch = match ties {
        true => format!("{number} = ?2 and created_seq {beyond} ?3"),
        false => format!("{number} {beyond} ?2 and {number} {up_to} ?3"),
    };
    let (kind, wanted) = (list.kind, search.wanted(Path::Owner("")));
    format!(
        "select created_seq, {number}, {wanted} from entity indexed by {index} \
         where kind = '{kind}' and owner = ?1 and {stretch} order by {number} {direction}, created_seq {direction}"
    )
}
