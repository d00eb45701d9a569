//! Positions in the log as clients see them: `epoch-seq`.

use std::fmt;

use drivers::journal::Head;

use crate::problem::{Problem, codes};

/// A place in one history of the log: everything up to and including `seq` is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl Position {
    /// Reads `epoch-seq`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        let (epoch, seq) = text.split_once('-')?;
        Some(Self { epoch: number(epoch)?, seq: number(seq)? })
    }
}

/// The `seq` to resume after: from `epoch-seq`, or from the word `oldest`.
///
/// # Errors
/// 400 for what is no position, or lies ahead of the log; 410 with the oldest one held when it is of another history
/// or too old.
pub(crate) fn resume(text: &str, head: &Head) -> Result<u64, Problem> {
    if text == "oldest" {
        return Ok(head.floor);
    }
    let malformed = |why| Problem::new(codes::INVALID_POSITION, why);
    let position = Position::parse(text).ok_or_else(|| malformed("a position is epoch-seq, as events carry it"))?;
    if position.epoch != head.epoch || position.seq < head.floor {
        let oldest = Position { epoch: head.epoch, seq: head.floor };
        let problem =
            Problem::new(codes::POSITION_GONE, "read the present state, then follow from the oldest position");
        return Err(problem.with_oldest(oldest.to_string()));
    }
    if position.seq > head.seq {
        return Err(malformed("the position lies ahead of the log"));
    }
    Ok(position.seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_checked_against_the_log() {
        let head = Head { seq: 100, epoch: 3, floor: 10 };
        for (text, expected) in [
            ("3-50", Ok(50)),
            ("3-10", Ok(10)),
            ("3-100", Ok(100)),
            ("oldest", Ok(10)),
            ("3-9", Err("POSITION_GONE")),
            ("2-50", Err("POSITION_GONE")),
            ("3-101", Err("INVALID_POSITION")),
            ("50", Err("INVALID_POSITION")),
            ("3-", Err("INVALID_POSITION")),
            ("3-+5", Err("INVALID_POSITION")),
            ("3-99999999999999999999", Err("INVALID_POSITION")),
            ("", Err("INVALID_POSITION")),
        ] {
            assert_eq!(resume(text, &head).map_err(|p| p.code()), expected, "{text}");
        }
    }
}
