//! What is told to AWS: findings to Security Hub, events to EventBridge. Both take a batch and refuse single items.

use crate::{AwsError, RegionClient};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_types::{DateTime, body::SdkBody};
use jiff::Timestamp;
use serde_json::Value;
use std::ops::Range;

/// Findings of one BatchImportFindings (Security Hub partner guide, read 2026-11-24).
const FINDINGS_PER_CALL: usize = 100;
/// Bytes of one BatchImportFindings: 6 MB, less what the frame around the findings takes.
const FINDINGS_BYTES_MAX: usize = 6_000_000 - 1_000;
/// Bytes of one finding.
const FINDING_BYTES_MAX: usize = 240_000;
/// Entries of one PutEvents.
const EVENTS_PER_CALL: usize = 10;
/// Bytes of one PutEvents: the lower of the two limits that AWS names, 256 KB, less what the frame takes.
const EVENTS_BYTES_MAX: usize = 256_000 - 4_000;

/// What Security Hub made of the findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// Findings taken.
    pub imported: usize,
    /// Findings refused, each with the reason.
    pub failed: Vec<FailedFinding>,
}

/// A finding that Security Hub refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedFinding {
    /// Its `Id`.
    pub id: String,
    /// Security Hub's code, or `FindingTooLarge` when it was not sent.
    pub code: String,
    /// Why.
    pub message: String,
}

/// One event for EventBridge.
#[derive(Clone, Debug, PartialEq)]
pub struct EventEntry {
    /// Must not begin with `aws.`.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// Its body.
    pub detail: Value,
    /// ARNs that it is about.
    pub resources: Vec<String>,
    /// Name or ARN of the event bus; `None`: the account's default.
    pub bus: Option<String>,
    /// When it happened.
    pub time: Timestamp,
}

/// Why EventBridge did not take an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct EventFailure {
    /// EventBridge's code, or `EntryTooLarge` when it was not sent.
    pub code: String,
    /// Why.
    pub message: String,
}

impl RegionClient {
    /// Sends findings in ASFF to Security Hub, in as many calls as their number and size ask for. `Err`: a whole call
    /// failed; what earlier calls took stays, and sending it again changes nothing, since findings have ids.
    pub async fn import_findings(&self, findings: Vec<Value>) -> Result<ImportOutcome, AwsError> {
        let mut outcome = ImportOutcome::default();
        let mut texts = Vec::with_capacity(findings.len());
        for finding in findings {
            let text = finding.to_string();
            if text.len() <= FINDING_BYTES_MAX {
                texts.push(text);
                continue;
            }
            outcome.failed.push(FailedFinding {
                id: finding["Id"].as_str().unwrap_or_default().to_owned(),
                code: "FindingTooLarge".to_owned(),
                message: format!("{} bytes, Security Hub takes {FINDING_BYTES_MAX}", text.len()),
            });
        }
        let sizes: Vec<usize> = texts.iter().map(String::len).collect();
        for batch in batches(&sizes, FINDINGS_PER_CALL, FINDINGS_BYTES_MAX) {
            self.import_batch(&texts[batch], &mut outcome).await?;
        }
        Ok(outcome)
    }

    /// The SDK addresses, signs, retries and reads the answer; the body is ours, since ASFF is JSON already and the
    /// SDK's typed finding would have to be built field by field from it.
    async fn import_batch(&self, findings: &[String], outcome: &mut ImportOutcome) -> Result<(), AwsError> {
        let body = format!(r#"{{"Findings":[{}]}}"#, findings.join(","));
        let request = self.inner.security_hub.batch_import_findings().customize().mutate_request(move |request| {
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body.as_str());
        });
        let answer = self.inner.caller.call("securityhub:BatchImportFindings", request.send()).await?;
        let refused = answer.failed_findings();
        outcome.imported += findings.len().saturating_sub(refused.len());
        outcome.failed.extend(refused.iter().map(|refusal| FailedFinding {
            id: refusal.id().unwrap_or_default().to_owned(),
            code: refusal.error_code().unwrap_or_default().to_owned(),
            message: refusal.error_message().unwrap_or_default().to_owned(),
        }));
        Ok(())
    }

    /// Sends events, in as many calls as their number and size ask for. The answer has one result for each entry, in
    /// their order: the event's id, or why it was not taken. A call that fails as a whole fails its entries.
    pub async fn put_events(&self, entries: Vec<EventEntry>) -> Vec<Result<String, EventFailure>> {
        let (entries, sizes): (Vec<_>, Vec<_>) = entries.into_iter().map(request_entry).unzip();
        let mut results = Vec::with_capacity(entries.len());
        for batch in batches(&sizes, EVENTS_PER_CALL, EVENTS_BYTES_MAX) {
            if sizes[batch.start] > EVENTS_BYTES_MAX {
                let message = format!("{} bytes, EventBridge takes {EVENTS_BYTES_MAX}", sizes[batch.start]);
                results.push(Err(EventFailure { code: "EntryTooLarge".to_owned(), message }));
                continue;
            }
            results.extend(self.put_batch(entries[batch].to_vec()).await);
        }
        results
    }

    async fn put_batch(&self, entries: Vec<PutEventsRequestEntry>) -> Vec<Result<String, EventFailure>> {
        let count = entries.len();
        let request = self.inner.events.put_events().set_entries(Some(entries));
        let failure = |code: &str, message: String| EventFailure { code: code.to_owned(), message };
        let mut results: Vec<_> = match self.inner.caller.call("events:PutEvents", request.send()).await {
            Err(error) => return vec![Err(failure("CallFailed", error.to_string())); count],
            Ok(answer) => answer
                .entries()
                .iter()
                .map(|entry| match (entry.event_id(), entry.error_code()) {
                    (Some(id), None) => Ok(id.to_owned()),
                    (_, code) => {
                        Err(failure(code.unwrap_or("Unknown"), entry.error_message().unwrap_or_default().to_owned()))
                    }
                })
                .collect(),
        };
        results.resize(count, Err(failure("Unknown", "EventBridge did not answer for this entry".to_owned())));
        results
    }
}

/// The SDK's entry and its size as EventBridge counts it: source, detail type, detail, resources, and 14 bytes for the
/// time (EventBridge user guide, "Calculating PutEvents event entry size").
fn request_entry(entry: EventEntry) -> (PutEventsRequestEntry, usize) {
    let detail = entry.detail.to_string();
    let resources: usize = entry.resources.iter().map(String::len).sum();
    let size = 14 + entry.source.len() + entry.detail_type.len() + detail.len() + resources;
    let entry = PutEventsRequestEntry::builder()
        .time(DateTime::from_secs(entry.time.as_second()))
        .source(entry.source)
        .detail_type(entry.detail_type)
        .detail(detail)
        .set_resources(Some(entry.resources))
        .set_event_bus_name(entry.bus)
        .build();
    (entry, size)
}

/// Cuts items of these sizes into runs of at most `count_max` items and `bytes_max` bytes; an item that is too large
/// for any run is a run of its own.
fn batches(sizes: &[usize], count_max: usize, bytes_max: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, size) in sizes.iter().enumerate() {
        let size = size + 1; // the comma
        if index > start && (index - start == count_max || bytes + size > bytes_max) {
            runs.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < sizes.len() {
        runs.push(start..sizes.len());
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn batches_hold_no_more_than_aws_takes() {
        let check =
            |sizes: &[usize], expected: &[Range<usize>]| assert_eq!(batches(sizes, 3, 100), expected, "{sizes:?}");
        check(&[], &[]);
        check(&[1, 1, 1, 1, 1, 1], &[0..3, 3..6]);
        check(&[1, 1, 1, 1], &[0..3, 3..4]);
        check(&[60, 60, 10], &[0..1, 1..3]);
        check(&[1, 500, 1], &[0..1, 1..2, 2..3]);
    }

    #[test]
    fn an_entrys_size_is_counted_as_eventbridge_counts_it() {
        let (_, size) = request_entry(EventEntry {
            source: "muster".into(),
            detail_type: "Finding".into(),
            detail: json!({}),
            resources: vec!["i-1".into()],
            bus: None,
            time: Timestamp::UNIX_EPOCH,
        });
        assert_eq!(size, 14 + 6 + 7 + 2 + 3);
    }
}
