//! The metrics, in Prometheus' spelling. Labels stand in braces; each has a small, fixed set of values.

/// Counter `{service, fact, outcome}`: messages handled. Outcome is `done`, `failed`, `panicked` or `timed-out`.
pub const MESSAGES_TOTAL: &str = "muster_messages_total";
/// Histogram `{service, fact}`: how long handling one message took, in seconds.
pub const MESSAGE_SECONDS: &str = "muster_message_seconds";
/// Gauge `{service}`: messages being handled now.
pub const IN_FLIGHT: &str = "muster_in_flight";
/// Gauge `{service, group, fact}`: messages that the group has not acknowledged.
pub const QUEUE_LAG: &str = "muster_queue_lag";
/// Counter `{service}`: outbox messages published.
pub const OUTBOX_PUBLISHED_TOTAL: &str = "muster_outbox_published_total";
/// Counter `{status}`: verdicts by answer: `affected`, `not-affected`, `undetermined`.
pub const VERDICTS_TOTAL: &str = "muster_verdicts_total";
/// Counter `{service, operation, outcome}`: calls of AWS by API and operation.
pub const AWS_CALLS_TOTAL: &str = "muster_aws_calls_total";
/// Counter `{service, operation}`: calls that AWS throttled.
pub const AWS_THROTTLES_TOTAL: &str = "muster_aws_throttles_total";
/// Counter `{sink}`: findings told to Security Hub, EventBridge and webhooks.
pub const FINDINGS_PUBLISHED_TOTAL: &str = "muster_findings_published_total";

/// Upper bounds of [`MESSAGE_SECONDS`], in seconds: from a look-up to a large image.
pub(crate) const SECONDS_BUCKETS: [f64; 11] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0, 1800.0];

/// Gives each metric its help text.
pub(crate) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(MESSAGES_TOTAL, "Messages handled, by outcome");
    describe_histogram!(MESSAGE_SECONDS, Unit::Seconds, "Time to handle one message");
    describe_gauge!(IN_FLIGHT, "Messages being handled now");
    describe_gauge!(QUEUE_LAG, "Messages that the group has not acknowledged");
    describe_counter!(OUTBOX_PUBLISHED_TOTAL, "Outbox messages published");
    describe_counter!(VERDICTS_TOTAL, "Verdicts, by answer");
    describe_counter!(AWS_CALLS_TOTAL, "Calls of AWS, by outcome");
    describe_counter!(AWS_THROTTLES_TOTAL, "Calls that AWS throttled");
    describe_counter!(FINDINGS_PUBLISHED_TOTAL, "Findings told to a sink");
}
