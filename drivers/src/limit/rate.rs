//! A rate: so many requests in a time, and so many at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The most requests per period, and in a burst.
const MOST: u32 = 1_000_000;

/// `count` requests per second, minute or hour, and `burst` at once. Text: `100/s`, `60/m:10`; without a burst it is `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    unit: char,
    burst: u32,
}

impl Rate {
    /// So many at once.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// After this time one more is allowed.
    #[must_use]
    pub fn interval(self) -> Duration {
        let seconds = match self.unit {
            'h' => 3_600,
            'm' => 60,
            _ => 1,
        };
        Duration::from_secs(seconds) / self.count
    }

    /// How long it takes until a whole burst is allowed again, when `remaining` are.
    #[must_use]
    pub fn until_full(self, remaining: u32) -> Duration {
        self.interval() * self.burst.saturating_sub(remaining)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("expected requests per time, such as 100/s, 600/m or 50/s:200 (200 at once), of 1 to {MOST} each")
        };
        let (rate, burst) = text.split_once(':').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let (count, unit) = rate.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(wrong);
        let unit = ['s', 'm', 'h'].into_iter().find(|one| unit == one.to_string()).ok_or_else(wrong)?;
        let count = number(count)?;
        Ok(Self { count, unit, burst: burst.map_or(Ok(count), number)? })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.count, self.unit, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        for (text, interval, burst) in [
            ("100/s", Duration::from_millis(10), 100),
            ("60/m:5", Duration::from_secs(1), 5),
            ("1/h", Duration::from_secs(3_600), 1),
            ("1000000/s:1000000", Duration::from_micros(1), 1_000_000),
        ] {
            let rate: Rate = text.parse().expect(text);
            assert_eq!((rate.interval(), rate.burst()), (interval, burst), "{text}");
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        assert_eq!("10/s:20".parse::<Rate>().expect("a rate").until_full(5), Duration::from_millis(1_500));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in
            ["", "100", "100/", "/s", "0/s", "1000001/s", "1/s:0", "1/d", "1/s:", "-1/s", "1.5/s", "1/sec", "1 /s"]
        {
            assert!(bad.parse::<Rate>().is_err(), "{bad:?}");
        }
    }
}
