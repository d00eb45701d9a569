//! What goes wrong on command: for each front a share of its calls, or the next so many of them.

use std::sync::{Mutex, PoisonError};

use crate::draw::{About, Draw};
use crate::settings::per_million;

/// What can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Front {
    /// The aggregator's API.
    Jupiter,
    /// The exchange's API.
    Raydium,
    /// The venue that quotes on request.
    Universal,
    /// The chain and its JSON-RPC.
    Rpc,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 429, with when to come again.
    RateLimited,
    /// 500.
    Error500,
    /// No answer for ten seconds.
    Timeout,
    /// A quote that promises what the pools gave a while ago, three per cent more than they give now.
    StaleQuote,
    /// A transaction is taken and never included.
    Dropped,
    /// A transaction is included only forty slots later.
    Late,
    /// A call takes effect; its connection is closed without an answer.
    AnswerLost,
    /// The newest slot is undone before it is confirmed; what it held is included again, or has to be sent again.
    Fork,
    /// A transaction that pays out another token than was quoted.
    WrongMint,
    /// A transaction whose least output is a fifth below what was quoted.
    ShortOutput,
    /// A page of HTML where JSON was asked for.
    Html,
    /// Half of the JSON.
    Truncated,
    /// Amounts as numbers where they ought to be text.
    NumberAmounts,
    /// Fields that nobody has documented.
    UnknownFields,
}

const FRONTS: [(&str, Front); 4] =
    [("jupiter", Front::Jupiter), ("raydium", Front::Raydium), ("universal", Front::Universal), ("rpc", Front::Rpc)];

const FAULTS: [(&str, Fault); 14] = [
    ("rate_limited", Fault::RateLimited),
    ("error_500", Fault::Error500),
    ("timeout", Fault::Timeout),
    ("stale_quote", Fault::StaleQuote),
    ("dropped", Fault::Dropped),
    ("late", Fault::Late),
    ("answer_lost", Fault::AnswerLost),
    ("fork", Fault::Fork),
    ("wrong_mint", Fault::WrongMint),
    ("short_output", Fault::ShortOutput),
    ("html", Fault::Html),
    ("truncated", Fault::Truncated),
    ("number_amounts", Fault::NumberAmounts),
    ("unknown_fields", Fault::UnknownFields),
];

impl Front {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FRONTS.iter().find(|(known, _)| *known == name).map(|(_, front)| *front)
    }
}

impl Fault {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// So many of a million times.
    Share(u32),
    /// The next so many times, then no more.
    Count(u64),
}

impl Often {
    /// `0.1` or `1.0` is a share, `3` a count; `0` is never.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('.') {
            return per_million(text).map(Self::Share);
        }
        text.parse().map(Self::Count).map_err(|_| "a share with a point, such as 0.1, or a count, such as 3")
    }
}

/// The faults that are on.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    rows: Mutex<Vec<Row>>,
}

#[derive(Debug)]
struct Row {
    front: Front,
    fault: Fault,
    often: Often,
    /// How often it has been asked for, which its draws hang on.
    asked: u64,
}

impl Faults {
    /// None.
    #[must_use]
    pub const fn none(seed: u64) -> Self {
        Self { seed, rows: Mutex::new(Vec::new()) }
    }

    /// Those of a line such as `jupiter.rate_limited=0.1,rpc.answer_lost=3`.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(seed: u64, line: &str) -> Result<Self, String> {
        let faults = Self::none(seed);
        for entry in line.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let known = || {
                let (name, often) = entry.split_once('=')?;
                let (front, fault) = name.split_once('.')?;
                Some((Front::named(front)?, Fault::named(fault)?, often))
            };
            let (front, fault, often) = known().ok_or_else(|| format!("{entry}: expected {}", Self::expected()))?;
            faults.set(front, fault, Often::parse(often).map_err(|why| format!("{entry}: expected {why}"))?);
        }
        Ok(faults)
    }

    fn expected() -> String {
        let names = FAULTS.map(|(name, _)| name).join(", ");
        format!("front.fault=share or count; fronts are jupiter, raydium, universal, rpc; faults are {names}")
    }

    /// From now on so often.
    pub fn set(&self, front: Front, fault: Fault, often: Often) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|row| (row.front, row.fault) != (front, fault));
        if !matches!(often, Often::Share(0) | Often::Count(0)) {
            rows.push(Row { front, fault, often, asked: 0 });
        }
    }

    /// Whether it happens now; a count is one less then.
    #[must_use]
    pub fn strikes(&self, front: Front, fault: Fault) -> bool {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(row) = rows.iter_mut().find(|row| (row.front, row.fault) == (front, fault)) else { return false };
        row.asked += 1;
        match &mut row.often {
            Often::Share(per_million) => {
                let draw = Draw::new(self.seed, About::Fault).on(front as u64).on(fault as u64);
                draw.on(row.asked).happens(*per_million)
            }
            Often::Count(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_strikes_so_often_and_a_share_about_so_often() {
        let faults = Faults::parse(1, "jupiter.rate_limited=0.1, rpc.answer_lost=3").expect("good faults");
        let strikes = |front, fault| (0..10_000).filter(|_| faults.strikes(front, fault)).count();
        assert_eq!(strikes(Front::Rpc, Fault::AnswerLost), 3);
        assert!((900..1_100).contains(&strikes(Front::Jupiter, Fault::RateLimited)));
        assert_eq!(strikes(Front::Raydium, Fault::RateLimited), 0);
        faults.set(Front::Jupiter, Fault::RateLimited, Often::Share(0));
        assert_eq!(strikes(Front::Jupiter, Fault::RateLimited), 0);
        faults.set(Front::Raydium, Fault::Html, Often::Share(1_000_000));
        assert_eq!(strikes(Front::Raydium, Fault::Html), 10_000);
    }

    #[test]
    fn unknown_faults_are_refused() {
        for line in ["jupiter=1", "jupiter.late", "mars.late=1", "rpc.rain=1", "rpc.late=1.5", "rpc.late=often"] {
            assert!(Faults::parse(1, line).is_err_and(|why| why.contains("expected")), "{line}");
        }
        assert!(Faults::parse(1, "").is_ok());
    }
}
