//! One port for everything a service answers: gRPC with health and reflection, `/metrics`, `/healthz`.

use crate::{Stop, metrics_text};
use anyhow::Context;
use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::{service::Routes, transport::Server};
use tonic_health::server::HealthReporter;

/// Calls of one connection in flight: our clients are few, and each call holds memory.
const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// Peers that vanished are noticed after this and half as much again.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Calls in flight get so long to end after a stop; streams of watchers do not end by themselves.
const DRAIN_WAIT: Duration = Duration::from_secs(10);

/// The standard health service (`grpc.health.v1`) and its reporter.
pub fn health()
-> (HealthReporter, tonic_health::pb::health_server::HealthServer<impl tonic_health::pb::health_server::Health>) {
    tonic_health::server::health_reporter()
}

/// Routes that every service has: health and reflection (v1, and v1alpha for older clients). Reflection tells of
/// the given encoded `FileDescriptorSet`s. What a service's `start` returns is ready, so health says so at once;
/// the reporter is for services that are unable to work later on.
pub fn base_routes(file_descriptor_sets: &[&[u8]]) -> anyhow::Result<(Routes, HealthReporter)> {
    let (reporter, health) = health();
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        file_descriptor_sets.iter().fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set))
    };
    let routes = Routes::new(health)
        .add_service(reflection().build_v1().context("read the file descriptor sets")?)
        .add_service(reflection().build_v1alpha().context("read the file descriptor sets")?);
    Ok((routes, reporter))
}

/// `GET /metrics` for Prometheus and `GET /healthz`, which answers as long as the process does.
pub fn observability_router() -> Router {
    let metrics = || async { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics_text()) };
    Router::new().route("/metrics", get(metrics)).route("/healthz", get(|| async { "ok\n" }))
}

/// Serves `router` on one port, HTTP/1 and HTTP/2 without TLS, until `stop` fires; calls in flight get ten seconds to
/// end.
pub async fn serve_grpc(listener: TcpListener, router: Router, stop: Stop) -> anyhow::Result<()> {
    let serve = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE / 2))
        .add_routes(Routes::from(router))
        .serve_with_incoming_shutdown(
            tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.clone().cancelled_owned(),
        );
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN_WAIT).await;
    };
    tokio::select! {
        served = serve => served.context("serve gRPC"),
        () = overdue => {
            tracing::warn!("connections cut that did not end");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut connection = TcpStream::connect(address).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("answered");
        answer
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_port_answers_grpc_health_reflection_metrics_and_healthz() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (routes, _reporter) = base_routes(&[tonic_health::pb::FILE_DESCRIPTOR_SET]).expect("valid sets");
        let stop = Stop::new();
        let router = routes.into_axum_router().merge(observability_router());
        let serving = tokio::spawn(serve_grpc(listener, router, stop.clone()));

        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let channel = channel.connect().await.expect("connected");
        let request = HealthCheckRequest { service: String::new() };
        let answer = HealthClient::new(channel.clone()).check(request).await.expect("answered").into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving);

        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let requests = futures::stream::iter([request]);
        let answers = ServerReflectionClient::new(channel).server_reflection_info(requests).await;
        let answer = answers.expect("answered").into_inner().message().await.expect("answered").expect("one answer");
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("{answer:?}") };
        assert!(list.service.iter().any(|service| service.name == "grpc.health.v1.Health"), "{list:?}");

        let healthz = get(address, "/healthz").await;
        assert!(healthz.starts_with("HTTP/1.1 200 OK\r\n") && healthz.ends_with("ok\n"), "{healthz}");
        let metrics = get(address, "/metrics").await.to_lowercase();
        assert!(
            metrics.starts_with("http/1.1 200 ok\r\n") && metrics.contains("text/plain; version=0.0.4"),
            "{metrics}"
        );

        stop.cancel();
        timeout(PATIENCE, serving).await.expect("it ends").expect("no panic").expect("served");
        assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
    }
}
