//! The request's body for an endpoint, in its format.

use domain::deal::recorded;
use domain::webhook::endpoint::{Endpoint, Format};
use domain::webhook::{News, Pattern, payload};
use domain::{Event, Kind};
use drivers::Fault;
use drivers::journal::Journal;

/// Whether there is something to send of an event to one who wants these patterns in this format.
pub(super) fn has_news(patterns: &[Pattern], format: Format, news: &News<'_>) -> bool {
    let mut wanted = patterns.iter().filter(|pattern| pattern.wants(news));
    match format {
        Format::Standard => wanted.next().is_some(),
        Format::Deals => wanted.any(|pattern| in_deals_words(pattern, news.event(), 0).is_some()),
    }
}

/// What is sent of an event: the same bytes each time. None where the endpoint's format has no word for it.
///
/// # Errors
/// Those of the journal.
pub(super) async fn of(journal: &dyn Journal, endpoint: &Endpoint, event: &Event) -> Result<Option<String>, Fault> {
    if endpoint.format == Format::Standard {
        return Ok(Some(payload::standard(event)));
    }
    let Some(news) = News::of(event).filter(|_| event.kind == Kind::Deal) else { return Ok(None) };
    let Some(deal) = journal.entity(Kind::Deal, &event.id).await? else { return Ok(None) };
    let mut wanted = endpoint.patterns.iter().filter(|pattern| pattern.wants(&news));
    Ok(wanted.find_map(|pattern| in_deals_words(pattern, event, deal.created_seq)))
}

fn in_deals_words(pattern: &Pattern, event: &Event, delivery_sequence: u64) -> Option<String> {
    recorded::webhook_payload(&pattern.to_string(), event, delivery_sequence)
}
