//! The commands that are neither the server nor its measurement, one file each.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod demo_data;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod queue;
pub(crate) mod quote;
pub(crate) mod route;
pub(crate) mod simnet;
pub(crate) mod swap;
pub(crate) mod tail;
pub(crate) mod trading;
pub(crate) mod webhooks;

use std::io::Write;

/// Writes a line; a reader that went away ends the command as if it had said what it had to.
fn line(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Lines with their cells under each other: the columns of `names` to the left, amounts to the right.
fn columns<const N: usize>(rows: &[[String; N]], names: impl IntoIterator<Item = usize>) -> Vec<String> {
    let names: Vec<usize> = names.into_iter().collect();
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if names.contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
