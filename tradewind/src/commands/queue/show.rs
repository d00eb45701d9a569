//! What the commands about queues show: lines of JSON, or tables for people.

use serde::Deserialize;
use serde_json::Value;

use crate::commands::{columns, line};

/// An error is cut here in a table.
const WIDEST_ERROR: usize = 100;

/// What of a queue's view the commands show.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) account: Option<String>,
    pub(super) paused: bool,
    pub(super) depth: u64,
    pub(super) ready: u64,
    pub(super) in_flight: u64,
    pub(super) delayed: u64,
    pub(super) dead: Option<u64>,
    pub(super) oldest_age_millis: Option<u64>,
    pub(super) rate_per_second: Option<f64>,
}

/// What of a dead job's view the commands show.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadJob {
    pub(super) id: String,
    pub(super) queue: String,
    pub(super) attempts: u64,
    pub(super) died_at: String,
    pub(super) parked: bool,
    pub(super) error: String,
}

/// A group of errors.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) queue: String,
    pub(super) group: String,
    pub(super) count: u64,
    pub(super) newest_at: String,
    pub(super) example: String,
}

pub(super) fn print(values: &[Value]) -> anyhow::Result<u8> {
    for value in values {
        line(value)?;
    }
    Ok(0)
}

/// A table, if it has more than its head.
pub(super) fn table<const N: usize>(rows: &[[String; N]], names: &[usize]) -> anyhow::Result<u8> {
    if rows.len() > 1 {
        for text in columns(rows, names.iter().copied()) {
            line(text)?;
        }
    }
    Ok(0)
}

pub(super) fn row(queue: Standing) -> [String; 10] {
    let number = |number: u64| number.to_string();
    let none = || "-".to_owned();
    [
        queue.name,
        queue.account.unwrap_or_default(),
        if queue.paused { "paused" } else { "running" }.to_owned(),
        number(queue.depth),
        number(queue.ready),
        number(queue.in_flight),
        number(queue.delayed),
        queue.dead.map_or_else(none, number),
        queue.oldest_age_millis.map_or_else(none, age),
        queue.rate_per_second.map_or_else(none, |rate| format!("{rate:.2}")),
    ]
}

/// A time for people: its two largest parts.
fn age(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

pub(super) fn cut(error: &str) -> String {
    let line = error.replace(char::is_control, " ");
    match line.char_indices().nth(WIDEST_ERROR) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_readable() {
        for (millis, shown) in
            [(7, "7 ms"), (59_999, "59 s"), (61_000, "1 min 1 s"), (7_500_000, "2 h 5 min"), (90_000_000, "1 d 1 h")]
        {
            assert_eq!(age(millis), shown);
        }
    }
}
