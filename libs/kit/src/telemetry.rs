//! Logs to standard error, traces to an OTLP collector when one is named, metrics for Prometheus.

use crate::metric_names;
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::{
    io::IsTerminal,
    sync::{
        OnceLock,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// How a process tells of itself.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetryOptions {
    /// How log lines look
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,

    /// Which log lines to write, as `tracing` directives: `debug`, `info,muster_kit=trace`; without it `info`, and
    /// `warn` where a command ends by itself
    #[arg(long, env = "MUSTER_LOG", global = true)]
    pub log: Option<String>,

    /// Collector that takes traces over OTLP gRPC, `http://HOST:4317`
    #[arg(long, env = "MUSTER_OTLP_ENDPOINT", hide_env_values = true, global = true)]
    pub otlp_endpoint: Option<String>,

    /// The service's name in traces
    #[arg(long, env = "MUSTER_SERVICE_NAME", default_value = "muster", global = true)]
    pub service_name: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Spans of the machinery that carries telemetry and messages would report on themselves.
const SILENT_TARGETS: [&str; 7] = ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry_sdk", "async_nats"];

/// A histogram's samples are folded into its buckets so often, whether or not anybody scrapes.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How long the last spans may take to leave when the process ends.
const FLUSH_WAIT: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Held by main until its end: dropping it sends the last spans.
pub struct TelemetryGuard {
    provider: SdkTracerProvider,
    /// Closing it ends the upkeep of the metrics.
    _upkeep: Sender<()>,
}

/// Sets the process up, once, inside a tokio runtime.
pub fn init_telemetry(options: &TelemetryOptions) -> anyhow::Result<TelemetryGuard> {
    let log = options.log.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_new(log).with_context(|| format!("read log filter `{log}`"))?;
    let provider = tracer_provider(options)?;
    let traced = Targets::new().with_default(LevelFilter::INFO);
    let traced = traced.with_targets(SILENT_TARGETS.map(|target| (target, LevelFilter::OFF)));
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("muster")).with_filter(traced);
    let logs = log_layer(options.log_format).with_filter(filter);
    tracing_subscriber::registry().with(logs).with(traces).try_init().context("install telemetry")?;
    let upkeep = install_metrics()?;
    Ok(TelemetryGuard { provider, _upkeep: upkeep })
}

fn log_layer(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// Without an endpoint spans still get ids, so that the trace context travels, and end nowhere.
fn tracer_provider(options: &TelemetryOptions) -> anyhow::Result<SdkTracerProvider> {
    let resource = Resource::builder().with_service_name(options.service_name.clone()).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    // An empty variable is how compose files say "none".
    let Some(endpoint) = options.otlp_endpoint.as_ref().filter(|endpoint| !endpoint.is_empty()) else {
        return Ok(builder.build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
    let exporter = exporter.with_context(|| format!("export traces to {endpoint}"))?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn install_metrics() -> anyhow::Result<Sender<()>> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &metric_names::SECONDS_BUCKETS);
    let handle = builder.context("set histogram buckets")?.install_recorder().context("install metrics")?;
    metric_names::describe();
    let (guard, ended) = channel();
    let upkept = handle.clone();
    let upkeep = move || {
        while ended.recv_timeout(METRICS_UPKEEP) == Err(RecvTimeoutError::Timeout) {
            upkept.run_upkeep();
        }
    };
    std::thread::Builder::new().name("muster-metrics".to_owned()).spawn(upkeep).context("start metrics upkeep")?;
    METRICS.get_or_init(|| handle);
    Ok(guard)
}

/// All metrics in Prometheus' text format; empty before [`init_telemetry`].
pub fn metrics_text() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

impl TelemetryGuard {
    /// Sends the spans that have ended. It blocks for a moment: not for async code on one thread.
    pub fn flush(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::debug!(%error, "traces not sent");
        }
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(FLUSH_WAIT) {
            tracing::debug!(%error, "last traces not sent");
        }
    }
}
