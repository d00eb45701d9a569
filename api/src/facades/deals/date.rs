//! What JavaScript's `new Date(…)` makes an instant of. Which one is of no interest: instants from clients are ignored.

/// The furthest instant from 1970, in milliseconds: 100 million days.
const FURTHEST: i128 = 8_640_000_000_000_000;
/// The year of that instant.
const LAST_YEAR: u32 = 275_760;
/// The names of time zones that JavaScript knows.
const ZONES: [&str; 12] = ["z", "ut", "utc", "gmt", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether a JSON number is one, in milliseconds. Of a fraction the whole part counts.
pub(super) fn is_epoch(raw: &str) -> bool {
    super::number::integer(raw).is_none_or(|millis| millis.abs() <= FURTHEST)
}

/// Whether a text is one: numbers in a usual order, or the name of a month with numbers. Some that JavaScript refuses pass,
/// such as `17/6/2024`: what is plainly meant as a date is none of our business.
pub(super) fn is_text(text: &str) -> bool {
    let text = without_words(text);
    is_numeric(text) || names_a_month(text)
}

/// Leaves out what comes before the first number, such as a weekday, unless it is a month.
fn without_words(text: &str) -> &str {
    let mut text = text.trim();
    while let Some((word, rest)) = text.split_once(|c: char| c == ',' || c.is_whitespace()) {
        if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) || is_month(word) {
            break;
        }
        text = rest.trim_start();
    }
    text
}

/// `2024`, `2024-06`, `2024-6-17`, `2024/06/17`, `6/17/2024`, `17.6.2024`, `6/17`, each with a time, a zone, both or none.
fn is_numeric(text: &str) -> bool {
    let signed = text.strip_prefix(['+', '-']);
    let text = signed.unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '/' | '.')).unwrap_or(text.len());
    let (date, rest) = text.split_at(end);
    // ISO 8601 has a sign only before six digits of a year.
    if signed.is_some() && date.split('-').next().is_none_or(|year| year.len() != 6) {
        return false;
    }
    let rest = rest.trim_start_matches(|c: char| matches!(c, ',' | 'T' | 't') || c.is_whitespace());
    let is_clock = rest.starts_with(|c: char| c.is_ascii_digit());
    is_date(date) && if is_clock { is_time(rest) } else { is_zone(rest) }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let year = |text: &str| number(text, 0, LAST_YEAR);
    // Anywhere but at the end, where a day could not stand.
    let first_year = |text: &str| year(text) && (text.len() > 2 || !number(text, 1, 31));
    let (month, day) = (|text: &str| number(text, 1, 12), |text: &str| number(text, 1, 31));
    match parts[..] {
        [a] => month(a) || first_year(a),
        [a, b] => (first_year(a) && month(b)) || (month(a) && day(b)),
        [a, b, c] if first_year(a) => month(b) && day(c),
        [a, b, c] => ((month(a) && day(b)) || (day(a) && month(b))) && year(c),
        _ => false,
    }
}

/// `5:30`, `05:30:12`, `05:30:12.520`, with `AM` or `PM` or neither, and a zone or none.
fn is_time(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let mut parts = clock.split(':');
    let hours = parts.next().is_some_and(|hours| number(hours, 0, 24));
    let minutes = parts.next().is_some_and(|minutes| number(minutes, 0, 59));
    let seconds = parts.next().map(|seconds| number(seconds, 0, 59));
    let fraction = fraction.is_none_or(|fraction| seconds.is_some() && digits(fraction));
    let rest = rest.trim_start();
    let half = rest.get(..2).is_some_and(|half| half.eq_ignore_ascii_case("am") || half.eq_ignore_ascii_case("pm"));
    let zone = if half { &rest[2..] } else { rest };
    hours && minutes && seconds.unwrap_or(true) && parts.next().is_none() && fraction && is_zone(zone)
}

/// Nothing, `Z`, `GMT`, `+02:00`, `-0700`, `GMT+0200 (Central European Summer Time)`.
fn is_zone(text: &str) -> bool {
    let text = text.split('(').next().unwrap_or_default().trim();
    let (name, offset) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let named = name.is_empty() || ZONES.contains(&name.to_ascii_lowercase().as_str());
    let Some(offset) = offset.trim_start().strip_prefix(['+', '-']) else { return named && offset.is_empty() };
    let is_offset = match offset.split_once(':') {
        Some((hours, minutes)) => number(hours, 0, 23) && number(minutes, 0, 59),
        None => offset.len() <= 4 && digits(offset),
    };
    named && is_offset
}

/// `Mon Jun 17 2024 05:30:12 GMT+0000`, `17 June 2024`, `17-Jun-24`.
fn names_a_month(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.split(|c: char| !c.is_ascii_alphabetic()).any(is_month)
}

fn is_month(word: &str) -> bool {
    word.get(..3).is_some_and(|start| MONTHS.contains(&start.to_ascii_lowercase().as_str()))
}

fn number(text: &str, least: u32, most: u32) -> bool {
    digits(text) && text.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_an_instant() {
        for text in [
            "2024-06-17 05:30:12.520",
            "2024-06-17T05:30:12.520Z",
            "2024-06-17T05:30:12+02:00",
            "2024-06-17T05:30",
            "2024-06-17",
            "2024",
            "Mon Jun 17 2024 05:30:12 GMT+0000 (Coordinated Universal Time)",
            "Mon, 17 Jun 2024 05:30:12 GMT",
            "17-Jun-24",
            "2024/6/7",
            "2024/06/17 05:30:12",
            "6/17/2024",
            "6/7/24 5:30",
            "6/17/2024, 5:30:12\u{202f}PM",
            "Mon 6/17/2024 5:30 pm GMT+0200",
            "17.6.2024",
            "2024-6-7T5:30",
            "2024-06-17 05:30:12 -0700",
            "2024-06-17Z",
            "+002024-06-17T05:30:12Z",
            "6/17",
            "0001-02-03",
        ] {
            assert!(is_text(text), "{text}");
        }
        for text in
            ["", "now", "never", "x", "x2024", "Jun", "ä", "5:30", "1/2/3/4", "1718602212520", "-5", "2024-13-01"]
        {
            assert!(!is_text(text), "{text}");
        }
        for text in ["13/45/2024", "2024/6/32", "17.06", "2024-06-17T25:00", "2024-06-17T05:30:12.", "6/17/2024 soon"] {
            assert!(!is_text(text), "{text}");
        }
        assert!(is_epoch("0") && is_epoch("1718602212520.5") && is_epoch("-8640000000000000"));
        assert!(!is_epoch("8640000000000001") && !is_epoch("1e400"));
    }
}
