//! What is refused, in AWS's words: one table of codes, with the name, the code and the status that each has on the wire.

use std::borrow::Cow;

use domain::queue::Refusal;
use engine::queues::QueueError;

use crate::problem::{Known, Problem, codes};

/// One of AWS's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// The shape of the service's model, in the `__type` of JSON: `com.amazonaws.sqs#QueueDoesNotExist`.
    pub(crate) kind: &'static str,
    /// What older clients know it by, in `x-amzn-query-error` and in XML.
    pub(crate) query: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Whether the caller is to blame.
    pub(crate) sender: bool,
}

macro_rules! table {
    ($($name:ident $status:literal $kind:literal $query:literal)*) => {
        $(pub(crate) const $name: Code = Code { kind: $kind, query: $query, status: $status, sender: $status < 500 };)*
    };
}

/// Names and codes as AWS's service model and recorded answers have them: errors that the model names carry the prefix
/// `AWS.SimpleQueueService.` in the code, others do not.
#[rustfmt::skip]
pub(super) mod code {
    use super::Code;

    table! {
        ACCESS_DENIED            403 "com.amazon.coral.service#AccessDeniedException"              "AccessDenied"
        BATCH_IDS_NOT_DISTINCT   400 "com.amazonaws.sqs#BatchEntryIdsNotDistinct"                  "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
        BATCH_TOO_LONG           400 "com.amazonaws.sqs#BatchRequestTooLong"                       "AWS.SimpleQueueService.BatchRequestTooLong"
        EMPTY_BATCH              400 "com.amazonaws.sqs#EmptyBatchRequest"                         "AWS.SimpleQueueService.EmptyBatchRequest"
        INCOMPLETE_SIGNATURE     400 "com.amazon.coral.service#IncompleteSignatureException"       "IncompleteSignature"
        INTERNAL_FAILURE         500 "com.amazon.coral.service#InternalFailure"                    "InternalFailure"
        INVALID_ACTION           400 "com.amazon.coral.service#UnknownOperationException"          "InvalidAction"
        INVALID_ATTRIBUTE_NAME   400 "com.amazonaws.sqs#InvalidAttributeName"                      "InvalidAttributeName"
        INVALID_ATTRIBUTE_VALUE  400 "com.amazonaws.sqs#InvalidAttributeValue"                     "InvalidAttributeValue"
        INVALID_BATCH_ENTRY_ID   400 "com.amazonaws.sqs#InvalidBatchEntryId"                       "AWS.SimpleQueueService.InvalidBatchEntryId"
        INVALID_CONTENTS         400 "com.amazonaws.sqs#InvalidMessageContents"                    "InvalidMessageContents"
        INVALID_PARAMETER        400 "com.amazonaws.sqs#InvalidParameterValueException"            "InvalidParameterValue"
        INVALID_TOKEN            403 "com.amazon.coral.service#UnrecognizedClientException"        "InvalidClientTokenId"
        MISSING_PARAMETER        400 "com.amazonaws.sqs#MissingRequiredParameterException"         "MissingParameter"
        MISSING_TOKEN            403 "com.amazon.coral.service#MissingAuthenticationTokenException" "MissingAuthenticationToken"
        NOT_IN_FLIGHT            400 "com.amazonaws.sqs#MessageNotInflight"                        "AWS.SimpleQueueService.MessageNotInflight"
        OVER_LIMIT               403 "com.amazonaws.sqs#OverLimit"                                 "OverLimit"
        PURGE_IN_PROGRESS        403 "com.amazonaws.sqs#PurgeQueueInProgress"                      "AWS.SimpleQueueService.PurgeQueueInProgress"
        QUEUE_DELETED_RECENTLY   400 "com.amazonaws.sqs#QueueDeletedRecently"                      "AWS.SimpleQueueService.QueueDeletedRecently"
        QUEUE_DOES_NOT_EXIST     400 "com.amazonaws.sqs#QueueDoesNotExist"                         "AWS.SimpleQueueService.NonExistentQueue"
        QUEUE_NAME_EXISTS        400 "com.amazonaws.sqs#QueueNameExists"                           "QueueAlreadyExists"
        RECEIPT_HANDLE_IS_INVALID 404 "com.amazonaws.sqs#ReceiptHandleIsInvalid"                   "ReceiptHandleIsInvalid"
        REQUEST_THROTTLED        403 "com.amazonaws.sqs#RequestThrottled"                          "RequestThrottled"
        REQUEST_TIMEOUT          408 "com.amazon.coral.service#RequestTimeoutException"            "RequestTimeout"
        RESOURCE_NOT_FOUND       404 "com.amazonaws.sqs#ResourceNotFoundException"                 "ResourceNotFoundException"
        SERIALIZATION            400 "com.amazon.coral.service#SerializationException"             "MalformedInput"
        SIGNATURE_DOES_NOT_MATCH 403 "com.amazon.coral.service#InvalidSignatureException"          "SignatureDoesNotMatch"
        TOO_LARGE                413 "com.amazon.coral.service#RequestEntityTooLargeException"     "RequestEntityTooLarge"
        TOO_MANY_ENTRIES         400 "com.amazonaws.sqs#TooManyEntriesInBatchRequest"              "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
        UNAVAILABLE              503 "com.amazon.coral.service#ServiceUnavailableException"        "ServiceUnavailable"
        UNSUPPORTED              400 "com.amazonaws.sqs#UnsupportedOperation"                      "AWS.SimpleQueueService.UnsupportedOperation"
    }
}

/// Why a request, or one entry of a batch, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) message: Cow<'static, str>,
}

impl Refused {
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::QueueDoesNotExist => code::QUEUE_DOES_NOT_EXIST,
            Refusal::QueueNameExists(_) => code::QUEUE_NAME_EXISTS,
            Refusal::QueueDeletedRecently => code::QUEUE_DELETED_RECENTLY,
            Refusal::PurgeQueueInProgress(_) => code::PURGE_IN_PROGRESS,
            Refusal::OverLimit(_) => code::OVER_LIMIT,
            Refusal::ReceiptHandleIsInvalid(_) => code::RECEIPT_HANDLE_IS_INVALID,
            Refusal::InvalidParameterValue(_) => code::INVALID_PARAMETER,
            Refusal::InvalidAttributeName(_) => code::INVALID_ATTRIBUTE_NAME,
            Refusal::InvalidAttributeValue(_) => code::INVALID_ATTRIBUTE_VALUE,
            Refusal::MissingParameter(_) => code::MISSING_PARAMETER,
            Refusal::MessageNotInflight => code::NOT_IN_FLIGHT,
            Refusal::InvalidMessageContents => code::INVALID_CONTENTS,
            Refusal::BatchRequestTooLong(_) => code::BATCH_TOO_LONG,
            Refusal::EmptyBatchRequest(_) => code::EMPTY_BATCH,
            Refusal::TooManyEntriesInBatchRequest(_) => code::TOO_MANY_ENTRIES,
            Refusal::BatchEntryIdsNotDistinct(_) => code::BATCH_IDS_NOT_DISTINCT,
            Refusal::InvalidBatchEntryId => code::INVALID_BATCH_ENTRY_ID,
            Refusal::UnsupportedOperation(_) => code::UNSUPPORTED,
            Refusal::ResourceNotFoundException(_) => code::RESOURCE_NOT_FOUND,
            Refusal::RequestThrottled => code::REQUEST_THROTTLED,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<QueueError> for Refused {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Refused(refusal) => refusal.into(),
            // Logs what it hides from the caller.
            QueueError::Fault(fault) => (&Problem::from(fault)).into(),
            QueueError::Timeout => Self::new(code::UNAVAILABLE, "The request was not done in time."),
        }
    }
}

/// What fails outside of the operations: at the gate, at a limit, while the body arrives.
impl From<&Problem> for Refused {
    fn from(problem: &Problem) -> Self {
        let known = problem.code();
        let is = |one: Known| known == one.code;
        let said = |code| Self::new(code, problem.detail().to_owned());
        if is(codes::KEY_REQUIRED) {
            return Self::new(code::MISSING_TOKEN, "Request is missing Authentication Token");
        }
        if is(codes::KEY_NOT_GOOD) {
            return Self::new(code::INVALID_TOKEN, "The security token included in the request is invalid.");
        }
        if is(codes::SIGNATURE_NOT_GOOD) {
            let why = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                       Access Key and signing method. Consult the service documentation for details.";
            return Self::new(code::SIGNATURE_DOES_NOT_MATCH, why);
        }
        if is(codes::SIGNATURE_EXPIRED) {
            return Self::new(code::SIGNATURE_DOES_NOT_MATCH, format!("Signature expired: {}", problem.detail()));
        }
        if is(codes::SIGNATURE_MALFORMED) {
            return said(code::INCOMPLETE_SIGNATURE);
        }
        if is(codes::RATE_LIMITED) || is(codes::TOO_MANY_ATTEMPTS) {
            return Refusal::RequestThrottled.into();
        }
        match problem.status().as_u16() {
            401 | 403 => said(code::ACCESS_DENIED),
            // What is not there for SQS is an operation: queues that are not there never come this way.
            404 | 405 => said(code::INVALID_ACTION),
            // Clients try again.
            408 => said(code::REQUEST_TIMEOUT),
            413 => said(code::TOO_LARGE),
            415 => said(code::SERIALIZATION),
            503 => said(code::UNAVAILABLE),
            500.. => said(code::INTERNAL_FAILURE),
            _ => said(code::INVALID_PARAMETER),
        }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        (&problem).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_outside_is_said_in_words_that_clients_know() {
        for (known, said) in [
            (codes::KEY_REQUIRED, code::MISSING_TOKEN),
            (codes::SCOPE_MISSING, code::ACCESS_DENIED),
            (codes::NOT_FOUND, code::INVALID_ACTION),
            (codes::METHOD_NOT_ALLOWED, code::INVALID_ACTION),
            (codes::REQUEST_TIMEOUT, code::REQUEST_TIMEOUT),
            (codes::BODY_TOO_LARGE, code::TOO_LARGE),
            (codes::UNSUPPORTED_MEDIA_TYPE, code::SERIALIZATION),
            (codes::RATE_LIMITED, code::REQUEST_THROTTLED),
            (codes::INTERNAL, code::INTERNAL_FAILURE),
            (codes::BUSY, code::UNAVAILABLE),
        ] {
            assert_eq!(Refused::from(Problem::new(known, "why")).code, said, "{}", known.code);
        }
    }
}
