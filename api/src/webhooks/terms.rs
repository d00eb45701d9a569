//! From a request's body to an endpoint's settings.

use domain::Timestamp;
use domain::webhook::Pattern;
use domain::webhook::endpoint::{Edit, Format, KEEP_OLD_SECRET_MICROS, LONGEST_OVERLAP_MICROS, MOST_PATTERNS};
use domain::webhook::sign::Secret;
use drivers::Network;
use drivers::webhook::check_url;

use crate::body::Form;
use crate::problem::{At, FieldError, Problem, codes};

/// The settings in a body, and the secret if one is given. All of a body's faults come at once.
///
/// # Errors
/// 400 for what is malformed, 422 for what is refused.
pub(super) fn settings(mut form: Form<'_>, allow: &[Network], is_new: bool) -> Result<(Edit, Option<Secret>), Problem> {
    let url = if is_new { form.needed("url", Form::text) } else { form.text("url") };
    if let Some(Err(said)) = url.as_deref().map(|url| check_url(url, allow)) {
        form.errors.push(FieldError::new(At::field("url"), codes::URL_REFUSED, said));
    }
    let texts = if is_new { form.needed("patterns", Form::optional_texts) } else { form.optional_texts("patterns") };
    let patterns = texts.map(|texts| patterns(&mut form, &texts));
    let description = form.text("description").map(|text| Some(text.into_owned()).filter(|text| !text.is_empty()));
    let format = form.text("format").and_then(|name| {
        let format = Format::parse(&name);
        format.or_else(|| form.fault("format", codes::UNKNOWN_CHOICE, "expected standard or deals"))
    });
    // 0 takes the limit away.
    let rate = form.integer("ratePerSecond").map(|rate| (rate != 0).then(|| clamped(rate)));
    let concurrency = form.integer("concurrency").map(clamped);
    let ordered = form.flag("ordered");
    let secret = if is_new { given_secret(&mut form) } else { None };
    form.finish()?;
    let url = url.map(std::borrow::Cow::into_owned);
    let edit = Edit { url, patterns, description, format, rate_per_second: rate, concurrency, ordered };
    Ok((edit, secret))
}

fn patterns(form: &mut Form<'_>, texts: &[String]) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    // One more than allowed is enough to be refused.
    for (index, text) in texts.iter().take(MOST_PATTERNS + 1).enumerate() {
        match Pattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(said) => {
                let at = At::Pointer(format!("/patterns/{index}"));
                form.errors.push(FieldError::new(at, codes::UNKNOWN_PATTERN, said));
            }
        }
    }
    patterns
}

/// The secret that a caller brings.
pub(super) fn given_secret(form: &mut Form<'_>) -> Option<Secret> {
    let text = form.text("secret")?;
    let said = "a secret is whsec_ and 24 to 64 bytes in padded base64";
    text.parse().ok().or_else(|| form.fault("secret", codes::SECRET_MALFORMED, said))
}

/// How long the old secret goes on signing, in microseconds.
pub(super) fn overlap(form: &mut Form<'_>) -> i64 {
    let seconds = form.integer("overlapSeconds");
    seconds
        .map_or(KEEP_OLD_SECRET_MICROS, |seconds| seconds.clamp(-1, LONGEST_OVERLAP_MICROS).saturating_mul(1_000_000))
}

/// An instant.
pub(super) fn instant(form: &mut Form<'_>, name: &'static str) -> Option<Timestamp> {
    let text = form.text(name)?;
    let said = "expected an RFC 3339 instant such as 2030-01-01T00:00:00Z";
    Timestamp::parse(&text).or_else(|| form.fault(name, codes::TIME_MALFORMED, said))
}

/// What no setting allows stays outside of what any allows.
fn clamped(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}
