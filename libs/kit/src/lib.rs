//! What every main needs: configuration, telemetry, health, stop, retry, and the two loops that all
//! services share: working off messages and relaying the outbox.

pub mod answers;
mod batches;
mod config;
mod facts;
mod grpc;
mod lag;
mod lease;
pub mod metric_names;
mod outbox;
mod retry;
mod rounds;
mod stop;
mod telemetry;
mod trace_context;
mod worker;

pub use batches::{BATCH_MAX, Batches, Member};
pub use config::{
    Address, BackendOptions, Backends, BusAddress, CacheAddress, StoreAddress, default_data_folder, redact,
};
pub use facts::{message, outbox_message};
pub use grpc::{base_routes, health, observability_router, serve_grpc};
pub use lag::watch_lag;
pub use lease::while_leased;
pub use outbox::relay_outbox;
pub use retry::start_policy;
pub use rounds::{Round, Rounds};
pub use stop::{Stop, stop_on_signal};
pub use telemetry::{LogFormat, TelemetryGuard, TelemetryOptions, init_telemetry, metrics_text};
pub use trace_context::{link_trace, set_trace_parent, trace_headers};
pub use worker::{WorkOptions, Worker};

/// Makes ring the provider of all TLS in this process: the first thing a main does. Twice is harmless.
pub fn install_crypto() {
    // An error says that a provider is installed already: there is only this one in the tree.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
