//! What was measured, beside what was asked for: a table for people, JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::histogram::Histogram;

/// One measured thing.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What it is, with how it was made.
    pub(crate) what: String,
    /// The median over the rounds.
    pub(crate) value: f64,
    /// Of the value: `requests/s`, `MB`, `ms`.
    pub(crate) unit: &'static str,
    /// What the yardstick reached in the same run, in the same unit.
    pub(crate) yardstick: Option<f64>,
    /// What is compared with the bar: the value ÷ the yardstick, or the value itself.
    pub(crate) score: f64,
    /// What was asked for.
    pub(crate) bar: Bar,
    /// p50, p99, p99.9 in microseconds.
    pub(crate) latency: Option<[u64; 3]>,
    /// Why it counts as missed whatever the score: too few orders confirmed.
    pub(crate) spoilt: Option<String>,
}

/// A bar.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// The score must reach it.
    AtLeast(f64),
    /// The value itself must reach it, whatever the yardstick reached.
    ValueAtLeast(f64),
    /// The score must not exceed it.
    AtMost(f64),
    /// Nothing was asked for: it is good to know.
    None,
}

impl Row {
    /// Whether the bar is met.
    pub(crate) fn met(&self) -> bool {
        let reached = match self.bar {
            Bar::AtLeast(bar) => self.score >= bar,
            Bar::ValueAtLeast(bar) => self.value >= bar,
            Bar::AtMost(bar) => self.score <= bar,
            Bar::None => true,
        };
        reached && self.spoilt.is_none()
    }

    fn json(&self) -> Value {
        let (bar, sense) = match self.bar {
            Bar::AtLeast(bar) => (Some(bar), Some("atLeast")),
            Bar::ValueAtLeast(bar) => (Some(bar), Some("valueAtLeast")),
            Bar::AtMost(bar) => (Some(bar), Some("atMost")),
            Bar::None => (None, None),
        };
        json!({
            "what": self.what, "value": self.value, "unit": self.unit, "yardstick": self.yardstick,
            "ratio": self.yardstick.map(|_| self.score), "bar": bar, "sense": sense, "met": self.met(),
            "latencyMicros": self.latency.map(|[p50, p99, p999]| json!({"p50": p50, "p99": p99, "p99.9": p999})),
            "spoilt": self.spoilt,
        })
    }

    fn cells(&self) -> [String; 9] {
        let bar = match self.bar {
            Bar::AtLeast(bar) => format!("≥ {}", number(bar)),
            Bar::ValueAtLeast(bar) => format!("≥ {} {}", number(bar), self.unit),
            Bar::AtMost(bar) => format!("≤ {}", number(bar)),
            Bar::None => String::new(),
        };
        let verdict = match self.bar {
            _ if !self.met() => "MISSED",
            Bar::None => "",
            _ => "met",
        };
        let micros = |index: usize| self.latency.map_or_else(String::new, |all| milliseconds(all[index]));
        [
            self.what.clone(),
            format!("{} {}", number(self.value), self.unit),
            self.yardstick.map_or_else(String::new, number),
            self.yardstick.map_or_else(String::new, |_| number(self.score)),
            bar,
            verdict.to_owned(),
            micros(0),
            micros(1),
            micros(2),
        ]
    }
}

/// p50, p99, p99.9 of a histogram.
pub(crate) fn latency(histogram: &Histogram) -> [u64; 3] {
    [histogram.quantile(500), histogram.quantile(990), histogram.quantile(999)]
}

/// The middle one of an odd number of measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The table, and under it what spoilt a row.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = ["what", "value", "yardstick", "ratio", "bar", "", "p50 ms", "p99 ms", "p99.9 ms"].map(str::to_owned);
    let lines: Vec<[String; 9]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 9];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
            let pad = " ".repeat(width - cell.chars().count());
            let _ = if index == 0 || index == 5 { write!(row, "{cell}{pad}  ") } else { write!(row, "{pad}{cell}  ") };
        }
        let _ = writeln!(text, "{}", row.trim_end());
    }
    for row in rows {
        if let Some(why) = &row.spoilt {
            let _ = writeln!(text, "{}: {why}", row.what);
        }
    }
    text
}

/// Everything as one JSON object.
pub(crate) fn json(rows: &[Row], machine: &str, journal: &str) -> Value {
    let met = rows.iter().all(Row::met);
    json!({"machine": machine, "journal": journal, "met": met, "rows": rows.iter().map(Row::json).collect::<Vec<_>>()})
}

fn number(value: f64) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$}")
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(score: f64, bar: Bar) -> Row {
        let (what, latency) = ("reads".to_owned(), Some([1_234, 20_000, 30_005]));
        Row { what, value: 12_345.6, unit: "requests/s", yardstick: Some(20_000.0), score, bar, latency, spoilt: None }
    }

    #[test]
    fn bars_are_met_or_missed() {
        assert!(row(0.5, Bar::AtLeast(0.5)).met() && !row(0.49, Bar::AtLeast(0.5)).met());
        assert!(row(50.0, Bar::AtMost(50.0)).met() && !row(50.1, Bar::AtMost(50.0)).met());
        let spoilt = Row { spoilt: Some("half failed".to_owned()), ..row(0.9, Bar::AtLeast(0.5)) };
        assert!(!spoilt.met() && table(&[spoilt]).contains("half failed"));
    }

    #[test]
    fn the_table_reads_well() {
        let rows = [row(0.62, Bar::AtLeast(0.45)), row(0.2, Bar::AtLeast(0.35)), row(0.1, Bar::None)];
        insta::assert_snapshot!(table(&rows), @"
        what              value  yardstick  ratio     bar          p50 ms  p99 ms  p99.9 ms
        reads  12346 requests/s      20000   0.62  ≥ 0.45  met       1.23   20.00     30.00
        reads  12346 requests/s      20000   0.20  ≥ 0.35  MISSED    1.23   20.00     30.00
        reads  12346 requests/s      20000   0.10                    1.23   20.00     30.00
        ");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
