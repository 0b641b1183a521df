//! One trace leads through all services: two workers over a bus, and a collector that is a test double.
//! Alone in its file, because a process has one telemetry.

use muster_bus::{Bus, DeliveryPolicy, Fact, Lane, LocalBus, Message, Subject};
use muster_kit::{
    LogFormat, Stop, TelemetryOptions, WorkOptions, Worker, init_telemetry, metric_names, metrics_text, trace_headers,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Server};

#[derive(Clone, Default)]
struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.requests.lock().expect("no panic").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let service = TraceServiceServer::new(self.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        endpoint
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().expect("no panic");
        let scopes = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|spans| &spans.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn message(fact: Fact) -> Message {
    Message {
        subject: Subject::new(fact, "111122223333", "eu-central-1", "instance", Lane::Event),
        id: fact.name().to_owned(),
        key: "i-0abc".to_owned(),
        headers: trace_headers(),
        payload: "".into(),
    }
}

fn options(service: &'static str, fact: Fact) -> WorkOptions {
    WorkOptions { service, group: service, fact, concurrency: 2 }
}

/// Discovery tells inventory, which tells matching.
async fn run_two_workers() {
    let bus: Arc<dyn Bus> = Arc::new(LocalBus::new(DeliveryPolicy::default()));
    let stop = Stop::new();
    let inventory = Worker::subscribe(options("inventory", Fact::ResourceObserved), bus.as_ref()).await;
    let matching = Worker::subscribe(options("matching", Fact::InventoryChanged), bus.as_ref()).await;
    let tell = {
        let bus = bus.clone();
        move |_| {
            let bus = bus.clone();
            async move { Ok(bus.publish(message(Fact::InventoryChanged)).await?) }
        }
    };
    let running = [
        tokio::spawn(inventory.expect("subscribed").run(stop.clone(), tell)),
        tokio::spawn(matching.expect("subscribed").run(stop.clone(), |_| async { Ok(()) })),
    ];
    let sweep = tracing::info_span!("sweep");
    let observed = sweep.in_scope(|| message(Fact::ResourceObserved));
    assert_eq!(observed.headers["traceparent"].len(), 55, "{:?}", observed.headers);
    drop(sweep);
    bus.publish(observed).await.expect("published");
    let begun = Instant::now();
    let text = format!(
        "{}{{service=\"matching\",fact=\"inventory.changed\",outcome=\"done\"}} 1",
        metric_names::MESSAGES_TOTAL
    );
    while !metrics_text().contains(&text) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", metrics_text());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    for worker in running {
        worker.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_sweep_through_both_workers_to_the_collector() {
    let collector = Collector::default();
    let options = TelemetryOptions {
        log_format: LogFormat::Json,
        log: Some("error".to_owned()), // what is logged does not decide what is traced
        otlp_endpoint: Some(collector.start().await),
        service_name: "muster-test".to_owned(),
    };
    let guard = init_telemetry(&options).expect("telemetry");
    run_two_workers().await;
    tokio::task::spawn_blocking(move || drop(guard)).await.expect("no panic");

    let spans = collector.spans();
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} in {spans:?}"));
    let (sweep, inventory, matching) = (named("sweep"), named("resource.observed"), named("inventory.changed"));
    assert_eq!(sweep.trace_id.len(), 16);
    assert_eq!((&inventory.trace_id, &inventory.parent_span_id), (&sweep.trace_id, &sweep.span_id));
    assert_eq!((&matching.trace_id, &matching.parent_span_id), (&sweep.trace_id, &inventory.span_id));

    let requests = collector.requests.lock().expect("no panic");
    let resource = format!("{:?}", requests[0].resource_spans[0].resource);
    assert!(resource.contains("service.name") && resource.contains("muster-test"), "{resource}");
    let metrics = metrics_text();
    assert!(metrics.contains("muster_message_seconds_bucket{service=\"matching\""), "{metrics}");
    assert!(metrics.contains("muster_in_flight{service=\"matching\"} 0"), "{metrics}");
}
