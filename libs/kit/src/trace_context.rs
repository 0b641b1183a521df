//! The W3C trace context in message headers, so that one trace leads from discovery to publishing.
//! It needs the layer that [`init_telemetry`](crate::init_telemetry) installs, and no exporter.

use opentelemetry::{
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::BTreeMap;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// `traceparent` and `tracestate` of the current span; empty without one.
pub fn trace_headers() -> BTreeMap<String, String> {
    let mut headers = Headers(BTreeMap::new());
    TraceContextPropagator::new().inject_context(&tracing::Span::current().context(), &mut headers);
    headers.0.retain(|_, value| !value.is_empty()); // an empty tracestate says nothing
    headers.0
}

/// Makes the trace in `headers` the parent of a span that was not entered yet. Without one, the span
/// starts a trace of its own.
pub fn set_trace_parent(span: &tracing::Span, headers: &BTreeMap<String, String>) {
    let parent = TraceContextPropagator::new().extract(&HeadersRef(headers));
    // An error says that the span is filtered out or telemetry is off: there is nothing to connect then.
    let _ = span.set_parent(parent);
}

/// Links a span to the trace in `headers`: for a batch that comes from several.
pub fn link_trace(span: &tracing::Span, headers: &BTreeMap<String, String>) {
    let context = TraceContextPropagator::new().extract(&HeadersRef(headers));
    span.add_link(context.span().span_context().clone());
}

struct Headers(BTreeMap<String, String>);

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

struct HeadersRef<'a>(&'a BTreeMap<String, String>);

impl Extractor for HeadersRef<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
