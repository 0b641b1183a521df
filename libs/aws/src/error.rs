//! What can go wrong with a call, as far as a caller would act differently.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use muster_domain::AccountId;
use std::error::Error;

/// A call failed for good: all attempts are spent. `call` is the action as IAM writes it (`ec2:DescribeInstances`).
/// No message holds a secret: AWS' own messages name principals and resources only, and addresses of code are left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The credentials may not do this, or are none. Asking again helps only after somebody changed a policy.
    #[error("{call} was denied{}: {message}", in_account(account))]
    Denied {
        /// The action.
        call: String,
        /// Whose policies denied it; `None` before the caller's own account is known.
        account: Option<AccountId>,
        /// What AWS said.
        message: String,
    },
    /// AWS refuses more calls at the moment, and did so in every attempt.
    #[error("{call} was throttled")]
    Throttled {
        /// The action.
        call: String,
    },
    /// What was asked for is not there (any more).
    #[error("{call} found nothing: {what}")]
    NotFound {
        /// The action.
        call: String,
        /// What AWS said of it.
        what: String,
    },
    /// No answer: name, connection, TLS or time.
    #[error("{call} got no answer: {message}")]
    Unreachable {
        /// The action.
        call: String,
        /// Why.
        message: String,
    },
    /// Anything else, AWS' faults and answers that cannot be read among them.
    #[error("{call} failed: {message}")]
    Other {
        /// The action.
        call: String,
        /// AWS' error code and message, or what is wrong with the answer.
        message: String,
    },
}

fn in_account(account: &Option<AccountId>) -> String {
    account.as_ref().map(|account| format!(" in account {account}")).unwrap_or_default()
}

impl AwsError {
    /// Whether a policy or the lack of credentials is the cause.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// The action that failed.
    pub fn call(&self) -> &str {
        match self {
            Self::Denied { call, .. }
            | Self::Throttled { call }
            | Self::NotFound { call, .. }
            | Self::Unreachable { call, .. }
            | Self::Other { call, .. } => call,
        }
    }

    /// One word for the metrics.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::Throttled { .. } => "throttled",
            Self::NotFound { .. } => "not_found",
            Self::Unreachable { .. } => "unreachable",
            Self::Other { .. } => "error",
        }
    }

    pub(crate) fn other(call: &str, message: impl Into<String>) -> Self {
        Self::Other { call: call.to_owned(), message: message.into() }
    }

    /// From the SDK's error of one call.
    pub(crate) fn from_sdk<E>(call: &str, account: Option<&AccountId>, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        if let Some(ours) = in_chain::<Self>(&error) {
            return ours.clone(); // the credentials provider failed: its own call is the thing at fault
        }
        if let SdkError::ServiceError(answer) = &error {
            let status = answer.raw().status().as_u16();
            let unread = || format!("HTTP status {status}: {}", chain(answer.err()));
            let message = answer.err().message().map_or_else(unread, str::to_owned);
            return Self::from_answer(call, account, status, answer.err().code().unwrap_or_default(), &message);
        }
        let message = bounded(&chain(&error));
        if in_chain::<CredentialsError>(&error).is_some() {
            return Self::Denied { call: call.to_owned(), account: account.cloned(), message };
        }
        match error {
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => {
                Self::Unreachable { call: call.to_owned(), message }
            }
            _ => Self::other(call, message),
        }
    }

    /// From what AWS answered: HTTP status, error code (empty when there is none) and message.
    fn from_answer(call: &str, account: Option<&AccountId>, status: u16, code: &str, message: &str) -> Self {
        let call = call.to_owned();
        let said = if code.is_empty() { bounded(message) } else { bounded(&format!("{code}: {message}")) };
        if is_throttle(code) || status == 429 {
            Self::Throttled { call }
        } else if DENIED_CODES.contains(&code) || (status == 403 && code.is_empty()) {
            Self::Denied { call, account: account.cloned(), message: said }
        } else if is_not_found(code) {
            Self::NotFound { call, what: said }
        } else {
            Self::Other { call, message: said }
        }
    }
}

/// Codes with which services refuse the credentials or the permission (each service's API reference, common errors).
const DENIED_CODES: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessException", // Security Hub is not enabled in the account, or not by its administrator
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RegionDisabledException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes with which services ask for fewer calls.
const THROTTLE_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Whether the code says that the thing asked for is not there, in each service's spelling.
fn is_not_found(code: &str) -> bool {
    code.ends_with("NotFoundException")
        || code.ends_with(".NotFound")
        || matches!(code, "InvalidInstanceId" | "InvalidTypeNameException")
}

/// Whether the code asks for fewer calls.
pub(crate) fn is_throttle(code: &str) -> bool {
    THROTTLE_CODES.contains(&code)
}

/// Whether the body of an answer, JSON or XML, holds a code that asks for fewer calls.
pub(crate) fn body_throttles(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(MESSAGE_BYTES_MAX)]);
    head.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_throttle)
}

/// Enough for AWS' longest messages; an HTML page from a proxy is cut.
const MESSAGE_BYTES_MAX: usize = 600;

/// One line of at most [`MESSAGE_BYTES_MAX`] bytes.
pub(crate) fn bounded(message: &str) -> String {
    let mut line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > MESSAGE_BYTES_MAX {
        line.truncate(line.floor_char_boundary(MESSAGE_BYTES_MAX));
        line.push('…');
    }
    line
}

/// All messages of the chain.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The first error of this type in the chain.
fn in_chain<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_answers_are_told_apart_by_what_a_caller_can_do_about_them() {
        let check = |status, code: &str, expected: &str| {
            let error = AwsError::from_answer("ec2:DescribeInstances", None, status, code, "why");
            assert_eq!(error.outcome(), expected, "{status} {code:?}");
        };
        check(503, "RequestLimitExceeded", "throttled"); // EC2
        check(400, "ThrottlingException", "throttled"); // SSM, ECR
        check(429, "TooManyRequestsException", "throttled"); // Lambda, Security Hub
        check(429, "", "throttled"); // a proxy in between
        check(403, "UnauthorizedOperation", "denied"); // EC2
        check(400, "AccessDeniedException", "denied"); // SSM, ECR, Organizations
        check(401, "AuthFailure", "denied"); // a region that is not enabled
        check(401, "InvalidAccessException", "denied"); // Security Hub not enabled
        check(403, "", "denied"); // an answer without a body
        check(400, "RepositoryNotFoundException", "not_found");
        check(404, "ResourceNotFoundException", "not_found");
        check(400, "InvalidInstanceID.NotFound", "not_found");
        check(500, "InternalError", "error");
        check(404, "", "error"); // an emulator that does not know the operation
    }

    #[test]
    fn a_denial_names_the_call_and_the_account() {
        let error = AwsError::Denied {
            call: "sts:AssumeRole".into(),
            account: Some("222222222222".parse().unwrap()),
            message: "AccessDenied: no".into(),
        };
        assert_eq!(error.to_string(), "sts:AssumeRole was denied in account 222222222222: AccessDenied: no");
    }

    #[test]
    fn a_throttle_is_seen_in_the_body_of_each_protocol() {
        assert!(body_throttles(b"<Response><Errors><Error><Code>RequestLimitExceeded</Code>"));
        assert!(body_throttles(br#"{"__type":"com.amazonaws.ssm#ThrottlingException"}"#));
        assert!(!body_throttles(br#"{"__type":"ValidationException","message":"ThrottlingExceptions"}"#));
    }

    #[test]
    fn a_page_of_html_becomes_one_short_line() {
        let page = format!("<html>\n  <body>{}", "ä".repeat(5000));
        let line = bounded(&page);
        assert!(line.starts_with("<html> <body>ä") && line.ends_with('…') && line.len() < 610);
    }
}
