//! The list of event types has what decisions tell of, and nothing else.

use std::collections::BTreeSet;

use domain::Kind;
use domain::event_types;

use super::rust;

/// Whether a text in the source is the name of an event's type: a kind that tells, and one word.
fn names_a_type(text: &str) -> bool {
    let happened = |kind: Kind| text.strip_prefix(kind.as_str())?.strip_prefix('.');
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    Kind::ALL.into_iter().filter(|kind| !kind.is_bookkeeping()).filter_map(happened).any(word)
}

#[test]
fn decisions_tell_of_every_type_in_the_list_and_of_no_other() {
    let mut told = BTreeSet::new();
    let decisions = rust().filter(|source| source.path.starts_with("domain/src/"));
    for source in decisions.filter(|source| !source.path.ends_with("/event_types.rs")) {
        // Queues are named in the same way.
        let lines = source.product().lines().filter(|line| !line.contains("const QUEUE"));
        let texts = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        told.extend(texts.filter(|text| names_a_type(text)).map(str::to_owned));
    }
    let listed: BTreeSet<String> = event_types::ALL.iter().map(|one| one.name.to_owned()).collect();
    assert_eq!(told, listed, "what decisions tell of, and domain/src/event_types.rs");
}
