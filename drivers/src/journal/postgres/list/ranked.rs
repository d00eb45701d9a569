//! Shop orders in the order of a number: along an index of its own, a bounded number of rows for each page.

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;

use super::{Along, LOOK_AT, Search, direction, fault, numbered, query, rows};
use crate::Fault;
use crate::journal::{List, Page, Rank, Ranked};

/// How much more each turn reads than the one before it.
const GROWTH: usize = 4;

/// A page; one more than `limit` shows that it is not the last.
pub(super) async fn read(client: &impl GenericClient, list: &List, by: &Ranked, limit: usize) -> Result<Page, Fault> {
    let search = Search { list, want: limit + 1 };
    let ((mut rank, mut seq), last) = by.bounds(list);
    let (mut found, mut looked, mut over) = (Vec::new(), 0, false);
    let mut stretch = search.want;
    let owner = by.owner.as_str();
    let sums: Vec<i64> = list.ranges.iter().flat_map(|(_, range)| [*range.start(), *range.end()]).collect();
    while found.len() <= limit && looked < LOOK_AT && !over {
        stretch = stretch.min(LOOK_AT - looked);
        let sql = statement(&search, by.by, stretch);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&owner, &rank, &seq, &last];
        if !list.statuses.is_empty() {
            values.push(&list.statuses);
        }
        values.extend(list.fields.iter().map(|(_, text)| text as &(dyn ToSql + Sync)));
        values.extend(sums.iter().map(|bound| bound as &(dyn ToSql + Sync)));
        let read = query(client, &sql, &values).await.map_err(|error| fault(&error))?;
        for row in &read {
            (seq, rank) = (rows::get(row, 0)?, rows::get(row, 1)?);
            if rows::get(row, 2)? {
                found.push((seq, rank));
            }
        }
        (looked, over) = (looked + read.len(), read.len() < stretch);
        stretch *= GROWTH;
    }
    let next = if found.len() > limit {
        found.truncate(limit);
        found.last().copied()
    } else {
        Some((seq, rank)).filter(|_| !over)
    };
    let numbers: Vec<u64> = found.iter().map(|(seq, _)| seq.cast_unsigned()).collect();
    let mut entities = numbered(client, &numbers).await?;
    entities.sort_by_key(|entity| numbers.iter().position(|number| *number == entity.created_seq));
    Ok(Page { entities, next: next.map(|(seq, _)| seq.cast_unsigned()), rank: next.map(|(_, rank)| rank) })
}

/// `$1` is the owner, `$2` and `$3` are number and `created_seq` of where to go on, `$4` is the last number.
fn statement(search: &Search<'_>, by: Rank, stretch: usize) -> String {
    let number = match by {
        Rank::CreatedAt => "created_at",
        Rank::Total => "((body::json ->> 'total')::bigint)",
    };
    let list = search.list;
    let (beyond, up_to) = if list.newest_first { ("<", ">=") } else { (">", "<=") };
    let (kind, direction, wanted) = (list.kind, direction(list), search.wanted(Along::Owner, 5));
    format!(
        "select created_seq, {number}, {wanted} from entity \
         where kind = '{kind}' and owner = $1 and ({number}, created_seq) {beyond} ($2::bigint, $3::bigint) \
         and {number} {up_to} $4::bigint order by {number} {direction}, created_seq {direction} limit {stretch}"
    )
}
