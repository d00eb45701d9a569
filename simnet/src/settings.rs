//! The options of a world, as they stand in a URL: `pace=instant&seed=7&fail=0.05`.

/// What can be chosen about a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `pace=real|instant`.
    pub pace: Pace,
    /// `seed=N`: the same seed gives the same outcomes.
    pub seed: u64,
    /// `balance=N`: every wallet begins with N whole tokens of each token and can run short; without it wallets are
    /// refilled and never do.
    pub balance: Option<u64>,
    /// `fail=P`: the share of quotes, and of executions, that fail; per million.
    pub fail: u32,
    /// `drop=P`: the share of submissions that are accepted and never included; per million. Sending the same bytes
    /// again draws again.
    pub drop: u32,
    /// `stall=P`: the share of quotes that take ten seconds; per million.
    pub stall: u32,
    /// `lose_answer=P`: the share of submissions that are taken while the caller gets an error; per million.
    pub lose_answer: u32,
}

/// How fast a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the real chain: a quote takes about 200 ms, a transaction is included 5 to 7 slots after it was submitted and
    /// is final 32 slots later.
    Real,
    /// Quotes answer at once; transactions execute and are final when they are submitted.
    Instant,
}

impl Default for Settings {
    fn default() -> Self {
        Self { pace: Pace::Real, seed: 1, balance: None, fail: 0, drop: 0, stall: 0, lose_answer: 0 }
    }
}

impl Settings {
    /// Reads `option=value` pairs joined by `&`.
    ///
    /// # Errors
    /// A sentence for the operator: which option is unknown, given twice, or has a bad value.
    pub fn parse(options: &str) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        for pair in options.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?}: expected option=value"))?;
            if seen.contains(&name) {
                return Err(format!("{name} is given twice"));
            }
            seen.push(name);
            settings.set(name, value).map_err(|expected| format!("{name}={value}: expected {expected}"))?;
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let whole = || value.parse::<u64>().map_err(|_| "a whole number");
        match name {
            "pace" => {
                self.pace = match value {
                    "real" => Pace::Real,
                    "instant" => Pace::Instant,
                    _ => return Err("real or instant"),
                }
            }
            "seed" => self.seed = whole()?,
            "balance" => self.balance = Some(whole()?),
            "fail" => self.fail = per_million(value)?,
            "drop" => self.drop = per_million(value)?,
            "stall" => self.stall = per_million(value)?,
            "lose_answer" => self.lose_answer = per_million(value)?,
            _ => return Err("one of the options pace, seed, balance, fail, drop, stall, lose_answer"),
        }
        Ok(())
    }
}

/// A share from 0 to 1 as plain decimal text with at most six decimals, in millionths.
pub(crate) fn per_million(text: &str) -> Result<u32, &'static str> {
    const EXPECTED: &str = "a share from 0 to 1 with at most six decimals, such as 0.05";
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.len() <= 6 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(EXPECTED);
    }
    let parsed = format!("{whole}{decimals:0<6}").parse::<u64>().map_err(|_| EXPECTED)?;
    u32::try_from(parsed).ok().filter(|share| *share <= 1_000_000).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        assert_eq!(Settings::parse(""), Ok(Settings::default()));
        let all = "pace=instant&seed=42&balance=1000&fail=0.05&drop=1&stall=0.000001&lose_answer=1.0";
        let expected = Settings {
            pace: Pace::Instant,
            seed: 42,
            balance: Some(1_000),
            fail: 50_000,
            drop: 1_000_000,
            stall: 1,
            lose_answer: 1_000_000,
        };
        assert_eq!(Settings::parse(all), Ok(expected));
    }

    #[test]
    fn bad_options_are_named() {
        for (options, says) in [
            ("speed=9", "speed=9: expected one of the options"),
            ("pace", "option=value"),
            ("pace=slow", "real or instant"),
            ("seed=-1", "a whole number"),
            ("seed=1&seed=2", "given twice"),
            ("fail=1.1", "a share from 0 to 1"),
            ("fail=-0.1", "a share"),
            ("fail=1e-3", "a share"),
            ("drop=.5", "a share"),
            ("drop=0.0000001", "six decimals"),
            ("stall=NaN", "a share"),
        ] {
            let error = Settings::parse(options).expect_err(options);
            assert!(error.contains(says), "{options}: {error}");
        }
    }
}
