//! The map's table of an order's life is the transition table, row for row.

use domain::swap::{Happening, Status, next};

use super::tree::sources;

/// What each happening means to a reader of the map.
const fn when(happening: Happening) -> &'static str {
    match happening {
        Happening::Begin => "a worker takes it up",
        Happening::Route => "a venue is chosen; from `building` again, because the quote grew stale",
        Happening::Prepare => "the signed bytes are on disk",
        Happening::Rebuild => "the bytes expired unexecuted, for good: built again",
        Happening::Confirm => "the venue says it traded",
        Happening::Retry => "an attempt failed and another follows",
        Happening::Fail => "given up; after `submitted` only on the venue's word",
        Happening::Cancel => "the owner withdrew it",
        Happening::Expire => "its time ran out",
    }
}

/// One row for each happening and each state that it leads to.
fn table() -> String {
    let mut table = "| from | to | when |\n|---|---|---|\n".to_owned();
    for happening in Happening::ALL {
        for to in Status::ALL {
            let from = Status::ALL.into_iter().filter(|from| next(*from, happening) == Some(to));
            let from: Vec<_> = from.map(Status::as_str).collect();
            if !from.is_empty() {
                table += &format!("| {} | {} | {} |\n", from.join(", "), to.as_str(), when(happening));
            }
        }
    }
    table
}

#[test]
fn the_map_shows_the_lifecycle_as_it_is() {
    let map = sources().into_iter().find(|source| source.path == "ARCHITECTURE.md").expect("ARCHITECTURE.md");
    let table = table();
    assert!(map.text.contains(&format!("\n\n{table}\n")), "ARCHITECTURE.md must have this table:\n\n{table}");
}
