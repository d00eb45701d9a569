//! AddPermission and RemovePermission: statements in a queue's policy, which is kept and shown.
//!
//! No account uses the queues of another here, so a statement lets nobody in who would otherwise stay out. It is kept all the
//! same, because tools that describe infrastructure write a policy, read it back, and fail on an error.

use domain::queue::Refusal;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::check::required;
use super::error::Refused;
use super::operation::{AddPermission, RemovePermission};

/// The most actions of a statement.
const MOST_ACTIONS: usize = 7;
/// What can be granted; all else only the owner does.
const GRANTED: [&str; 9] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

/// AddPermission.
pub(super) async fn add(call: &Call, asked: AddPermission) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    let label = required(asked.label, "Label")?;
    let (actions, accounts) = (asked.actions.unwrap_or_default(), asked.account_ids.unwrap_or_default());
    check(&actions, &accounts)?;
    let principals: Vec<String> = accounts.iter().map(|id| format!("arn:aws:iam::{id}:root")).collect();
    let actions: Vec<String> = actions.iter().map(|action| format!("SQS:{action}")).collect();
    let statement = json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_all(principals) },
        "Action": one_or_all(actions),
        "Resource": call.arn(&queue),
    });
    change(call, &queue, |statements| {
        if statements.iter().any(|one| one["Sid"] == label.as_str()) {
            return Err(Refusal::value(&label, "Label", "Already exists."));
        }
        statements.push(statement.clone());
        Ok(())
    })
    .await
}

/// RemovePermission.
pub(super) async fn remove(call: &Call, asked: RemovePermission) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    let label = required(asked.label, "Label")?;
    change(call, &queue, |statements| {
        let before = statements.len();
        statements.retain(|one| one["Sid"] != label.as_str());
        if statements.len() == before {
            return Err(Refusal::value(&label, "Label", "can't find label."));
        }
        Ok(())
    })
    .await
}

fn check(actions: &[String], accounts: &[String]) -> Result<(), Refusal> {
    if actions.is_empty() {
        return Err(Refusal::MissingParameter("Actions".to_owned()));
    }
    if accounts.is_empty() {
        return Err(Refusal::value("[]", "PrincipalId", "Unable to verify."));
    }
    if actions.len() > MOST_ACTIONS {
        let why = format!("{} Actions were found, maximum allowed is {MOST_ACTIONS}.", actions.len());
        return Err(Refusal::OverLimit(why));
    }
    match actions.iter().find(|action| !GRANTED.contains(&action.as_str())) {
        Some(action) => {
            let why = "Only the queue owner is allowed to invoke this action.";
            Err(Refusal::value(format!("SQS:{action}"), "ActionName", why))
        }
        None => Ok(()),
    }
}

/// Changes the statements of the queue's policy, or of a new one, as it stands when it is written.
async fn change(
    call: &Call,
    queue: &str,
    decide: impl Fn(&mut Vec<Value>) -> Result<(), Refusal>,
) -> Result<(), Refused> {
    let id = format!("{}/SQSDefaultPolicy", call.arn(queue));
    let changed = call.app.engine.queues.set_policy(&call.account, queue, |text| {
        let policy = text.and_then(|text| serde_json::from_str(text).ok());
        let mut policy: Map<_, _> = policy.unwrap_or_else(|| {
            Map::from_iter([("Version".to_owned(), "2008-10-17".into()), ("Id".to_owned(), id.as_str().into())])
        });
        let statements = statements(&mut policy);
        decide(statements)?;
        Ok(if statements.is_empty() { String::new() } else { Value::Object(policy).to_string() })
    });
    changed.await?;
    Ok(())
}

/// The statements of a policy; one that stands alone may stand without a list.
fn statements(policy: &mut Map<String, Value>) -> &mut Vec<Value> {
    let held = policy.entry("Statement").or_insert_with(|| json!([]));
    if !held.is_array() {
        *held = json!([held.take()]);
    }
    match held {
        Value::Array(statements) => statements,
        _ => unreachable!("it was made a list"),
    }
}

/// One text alone, several as a list.
fn one_or_all(mut texts: Vec<String>) -> Value {
    if texts.len() == 1 { texts.pop().into() } else { texts.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_granted() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let one = texts(&["123456789012"]);
        assert_eq!(check(&texts(&["SendMessage", "*"]), &one), Ok(()));
        assert_eq!(check(&[], &one), Err(Refusal::MissingParameter("Actions".to_owned())));
        let says = |checked: Result<(), Refusal>| checked.expect_err("refused").to_string();
        assert_eq!(
            says(check(&texts(&["*"]), &[])),
            "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."
        );
        assert_eq!(says(check(&texts(&["*"; 8]), &one)), "8 Actions were found, maximum allowed is 7.");
        assert!(
            says(check(&texts(&["RemovePermission"]), &one)).starts_with("Value SQS:RemovePermission for parameter")
        );
    }

    #[test]
    fn statements_are_found_alone_and_in_lists() {
        for (held, found) in
            [(json!({}), 0), (json!({"Statement": {"Sid": "a"}}), 1), (json!({"Statement": [1, 2]}), 2)]
        {
            let mut policy = held.as_object().cloned().expect("an object");
            assert_eq!(statements(&mut policy).len(), found, "{held}");
        }
        assert_eq!(
            (one_or_all(vec!["a".into()]), one_or_all(vec!["a".into(), "b".into()])),
            (json!("a"), json!(["a", "b"]))
        );
    }
}
