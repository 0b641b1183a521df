//! From which trace the findings of each resource came, so that the trace that a sweep began ends at the sink.

use muster_domain::{Finding, ResourceId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Mutex,
    time::{Duration, Instant},
};
use tracing::Span;

/// Resources whose trace is remembered. Beyond it some batches have no trace, and are told all the same.
const RESOURCES_MAX: usize = 100_000;

/// What is told later than this was not told because of that message.
const KEPT: Duration = Duration::from_secs(300);

/// When a resource was told of, and the headers of the trace that did.
type Noted = (Instant, BTreeMap<String, String>);

/// Trace headers by resource, from the messages that told of its findings to the batches that tell the sinks.
#[derive(Default)]
pub struct Traces {
    headers: Mutex<HashMap<ResourceId, Noted>>,
}

impl Traces {
    /// Remembers the present span as the one that told of a resource's findings.
    pub fn note(&self, resource: ResourceId) {
        let mut headers = self.headers.lock().expect("nobody panics while holding it");
        if headers.len() >= RESOURCES_MAX {
            headers.clear();
        }
        headers.insert(resource, (Instant::now(), muster_kit::trace_headers()));
    }

    /// Makes `span` the child of the trace of the first resource in the batch, and links it to the others'.
    pub fn join(&self, span: &Span, batch: &[Finding]) {
        let headers = self.headers.lock().expect("nobody panics while holding it");
        let resources: BTreeSet<&ResourceId> = batch.iter().map(|finding| &finding.resource).collect();
        let known = resources.into_iter().filter_map(|resource| headers.get(resource));
        let mut known = known.filter(|(noted, _)| noted.elapsed() < KEPT).map(|(_, headers)| headers);
        if let Some(first) = known.next() {
            muster_kit::set_trace_parent(span, first);
        }
        for other in known {
            muster_kit::link_trace(span, other);
        }
    }
}
