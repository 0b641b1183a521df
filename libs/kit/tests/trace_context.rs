//! Without a collector the trace context travels all the same. Alone in its file, because a process has one
//! telemetry.

use muster_kit::{LogFormat, TelemetryOptions, init_telemetry, set_trace_parent, trace_headers};

#[test]
fn without_a_collector_a_trace_still_leads_from_span_to_span() {
    assert!(trace_headers().is_empty(), "without telemetry there is nothing to carry");
    let options = TelemetryOptions {
        log_format: LogFormat::Text,
        log: Some("off".to_owned()),
        otlp_endpoint: None,
        service_name: "muster".to_owned(),
    };
    let _guard = init_telemetry(&options).expect("telemetry");
    let first = tracing::info_span!("first").in_scope(trace_headers);
    let second = tracing::info_span!("second");
    set_trace_parent(&second, &first);
    let second = second.in_scope(trace_headers);
    let trace = |traceparent: &str| traceparent.split('-').nth(1).map(str::to_owned);
    assert_eq!(trace(&first["traceparent"]), trace(&second["traceparent"]));
    assert_ne!(first, second, "each span has an id of its own");

    let unrelated = tracing::info_span!("unrelated");
    set_trace_parent(&unrelated, &[("traceparent".to_owned(), "nonsense".to_owned())].into());
    let unrelated = unrelated.in_scope(trace_headers);
    assert_ne!(trace(&first["traceparent"]), trace(&unrelated["traceparent"]));
    assert!(init_telemetry(&options).is_err(), "once per process");
}
