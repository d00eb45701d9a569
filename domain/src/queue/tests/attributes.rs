//! Attributes: bounds, defaults, what is refused.

use super::super::Settings;
use super::*;

fn made(name: &str, attributes: &[(&str, &str)]) -> Result<Settings, Refusal> {
    Settings::create(&Owner::default(), name, &asked(name, attributes).wanted)
}

#[test]
fn a_queue_of_which_nothing_is_said_is_as_aws_makes_it() {
    let standard = wanted(&[
        ("VisibilityTimeout", "30"),
        ("MessageRetentionPeriod", "345600"),
        ("DelaySeconds", "0"),
        ("MaximumMessageSize", "1048576"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("SqsManagedSseEnabled", "true"),
    ]);
    assert_eq!(made("q", &[]).expect("made").attributes(), standard);
    let mut fifo = standard;
    fifo.extend(wanted(&[
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
    ]));
    assert_eq!(made("q.fifo", &[]).expect("made").attributes(), fifo);
}

#[test]
fn numbers_have_bounds() {
    let bounds = [
        ("VisibilityTimeout", 0, 43_200),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1_024, 1_048_576),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ];
    for (name, least, most) in bounds {
        for good in [least, most] {
            assert!(made("q", &[(name, &good.to_string())]).is_ok(), "{name} {good}");
        }
        for bad in [(least - 1).to_string(), (most + 1).to_string(), "x".to_owned(), String::new(), "1.5".to_owned()] {
            let refusal = made("q", &[(name, &bad)]).expect_err("refused");
            assert_eq!(refusal, Refusal::InvalidAttributeValue(format!("Invalid value for the parameter {name}.")));
        }
    }
}

#[test]
fn what_is_set_is_shown_and_empty_takes_it_away() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:dead";
    let set = [
        ("RedrivePolicy", format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":5}}")),
        ("RedriveAllowPolicy", format!("{{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"{arn}\"]}}")),
        ("Policy", "{\"Version\":\"2012-10-17\"}".to_owned()),
        ("KmsMasterKeyId", "alias/aws/sqs".to_owned()),
    ];
    let account = Owner::default();
    let mut settings = made("q", &[]).expect("made");
    for (name, value) in &set {
        settings = settings.with(&account, &wanted(&[(name, value)])).expect("set");
        assert_eq!(settings.attributes().get(*name), Some(value), "{name}");
        assert_eq!(settings.differing(&account, &wanted(&[(name, value)])), Ok(None));
        assert_eq!(settings.differing(&account, &wanted(&[(name, "")])), Ok(Some((*name).to_owned())));
    }
    for (name, _) in &set {
        settings = settings.with(&account, &wanted(&[(name, "")])).expect("set");
        assert!(!settings.attributes().contains_key(*name), "{name}");
    }
}

#[test]
fn a_policy_of_redrive_is_read_as_aws_reads_it() {
    let policy =
        |count: &str| format!("{{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\"{count}}}");
    for (count, receives) in [("", 10), (",\"maxReceiveCount\":1", 1), (",\"maxReceiveCount\":\"1000\"", 1_000)] {
        let settings = made("q", &[("RedrivePolicy", &policy(count))]).expect("made");
        let redrive = settings.redrive.expect("one");
        assert_eq!((redrive.target.as_str(), redrive.max_receives), ("dead", receives));
    }
    let bad = [
        policy(",\"maxReceiveCount\":0"),
        policy(",\"maxReceiveCount\":1001"),
        policy(",\"maxReceiveCount\":-1"),
        policy(",\"maxReceiveCount\":\"many\""),
        "{\"maxReceiveCount\":3}".to_owned(),
        "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\"}".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
    ];
    for text in bad {
        let refusal = made("q", &[("RedrivePolicy", &text)]).expect_err("refused").to_string();
        assert!(
            refusal.starts_with(&format!("Value {text} for parameter RedrivePolicy is invalid. Reason: ")),
            "{refusal}"
        );
    }
    for text in [
        "{\"redrivePermission\":\"some\"}",
        "{\"redrivePermission\":\"byQueue\"}",
        "{\"redrivePermission\":\"allowAll\",\"sourceQueueArns\":[\"a\"]}",
        "x",
    ] {
        assert!(matches!(made("q", &[("RedriveAllowPolicy", text)]), Err(Refusal::InvalidParameterValue(_))), "{text}");
    }
}

#[test]
fn attributes_of_the_other_type_and_unknown_ones_are_refused() {
    let unknown = |name: &str| Err(Refusal::InvalidAttributeName(name.to_owned()));
    for name in
        ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "FifoQueue", "QueueArn", "Nonsense"]
    {
        assert_eq!(made("q", &[(name, "false")]), unknown(name), "{name}");
    }
    let account = Owner::default();
    let plain = |attributes: &[(&str, &str)], name| Settings::create(&account, name, &wanted(attributes));
    assert!(matches!(plain(&[], "q.fifo"), Err(Refusal::InvalidParameterValue(_))), "says nothing of its order");
    assert!(
        matches!(plain(&[("FifoQueue", "true")], "q"), Err(Refusal::InvalidParameterValue(_))),
        "has not its ending"
    );
    let fifo = made("q.fifo", &[]).expect("made");
    assert!(matches!(fifo.with(&account, &wanted(&[("FifoQueue", "false")])), Err(Refusal::InvalidAttributeValue(_))));
    let by_group = [("FifoThroughputLimit", "perMessageGroupId")];
    assert!(matches!(fifo.with(&account, &wanted(&by_group)), Err(Refusal::InvalidAttributeValue(_))));
    let both = [by_group[0], ("DeduplicationScope", "messageGroup")];
    assert!(fifo.with(&account, &wanted(&both)).is_ok());
}

#[test]
fn control_characters_are_kept_in_no_text() {
    let arn = "arn:aws:sqs:a\\u0000b:123456789012:dead";
    let bad = [
        ("KmsMasterKeyId", "a\0b".to_owned()),
        ("KmsMasterKeyId", "a\nb".to_owned()),
        ("Policy", "{\"a\":\"\0\"}".to_owned()),
        ("RedrivePolicy", format!("{{\"deadLetterTargetArn\":\"{arn}\"}}")),
        ("RedriveAllowPolicy", format!("{{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"{arn}\"]}}")),
    ];
    for (name, value) in bad {
        let refusal = made("q", &[(name, &value)]).expect_err("refused");
        assert!(
            matches!(refusal, Refusal::InvalidAttributeValue(_) | Refusal::InvalidParameterValue(_)),
            "{name}: {refusal}"
        );
    }
    // Escaped, it is a text like others, whose backslash is escaped once more where it is kept.
    assert!(made("q", &[("Policy", "{\n\t\"a\": \"\\u0000\"}")]).is_ok());
}
