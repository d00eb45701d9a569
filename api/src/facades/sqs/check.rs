//! What can be said of a request without knowing its queue; of messages and attributes the domain says the rest.

use std::collections::HashSet;

use domain::queue::Refusal;

/// The most entries of a batch.
const MOST_ENTRIES: usize = 10;
/// The longest id of an entry.
const LONGEST_ENTRY_ID: usize = 80;

/// A parameter that must be there and not be empty.
pub(super) fn required(value: Option<String>, parameter: &str) -> Result<String, Refusal> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::MissingParameter(parameter.to_owned()))
}

/// The entries of a batch by their ids; `entry` names what an entry is in AWS's model.
pub(super) fn batch<'a>(ids: impl ExactSizeIterator<Item = Option<&'a str>>, entry: &str) -> Result<(), Refusal> {
    let sent = ids.len();
    if sent == 0 {
        return Err(Refusal::EmptyBatchRequest(entry.to_owned()));
    }
    if sent > MOST_ENTRIES {
        return Err(Refusal::TooManyEntriesInBatchRequest(sent));
    }
    let mut seen = HashSet::new();
    for id in ids {
        let id = id.unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=LONGEST_ENTRY_ID).contains(&id.len()) || !id.bytes().all(plain) {
            return Err(Refusal::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(Refusal::BatchEntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

/// A number that may be there, within its range.
pub(super) fn within(
    value: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
    parameter: &str,
    why: &str,
) -> Result<Option<usize>, Refusal> {
    let fits = |value: i64| usize::try_from(value).ok().filter(|_| range.contains(&value));
    value.map(|value| fits(value).ok_or_else(|| Refusal::value(value, parameter, why))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_batches() {
        let entries = |ids: &[&str]| batch(ids.iter().copied().map(Some), "SendMessageBatchRequestEntry");
        assert_eq!(entries(&["a", "b-1", "C_2", &"x".repeat(80)]), Ok(()));
        assert_eq!(entries(&[]), Err(Refusal::EmptyBatchRequest("SendMessageBatchRequestEntry".to_owned())));
        assert_eq!(entries(&["a"; 11]), Err(Refusal::TooManyEntriesInBatchRequest(11)));
        assert_eq!(entries(&["a", "b", "a"]), Err(Refusal::BatchEntryIdsNotDistinct("a".to_owned())));
        for bad in ["", "a b", "ä", "a.b", &"x".repeat(81)] {
            assert_eq!(entries(&["ok", bad]), Err(Refusal::InvalidBatchEntryId), "{bad:?}");
        }
        assert_eq!(batch([None].into_iter(), "X"), Err(Refusal::InvalidBatchEntryId));
    }

    #[test]
    fn what_must_be_there_and_what_may_be() {
        let missing = || Err(Refusal::MissingParameter("QueueUrl".to_owned()));
        assert_eq!(required(None, "QueueUrl"), missing());
        assert_eq!(required(Some(String::new()), "QueueUrl"), missing());
        assert_eq!(required(Some("x".to_owned()), "QueueUrl"), Ok("x".to_owned()));
        let most = |value| within(value, 1..=10, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.");
        assert_eq!((most(None), most(Some(1)), most(Some(10))), (Ok(None), Ok(Some(1)), Ok(Some(10))));
        let says =
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.";
        assert_eq!(most(Some(11)), Err(Refusal::InvalidParameterValue(says.to_owned())));
        assert!(most(Some(0)).is_err() && most(Some(-1)).is_err() && most(Some(i64::MAX)).is_err());
    }
}
