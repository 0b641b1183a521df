"""What a running Muster tells of itself: one trace through all services, metrics, logs without secrets."""

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from conftest import stopping
from demo.emulator import SECRET_ACCESS_KEY
from harness.processes import ADDRESS
from harness.system import Distributed, System
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

#: The spans on the way of a finding, from the sweep that saw the resource to the batch that reached a sink.
WAY = {"sweep", "resource.observed", "inventory.changed", "verdicts.changed", "publish"}


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes traces over OTLP: trace id -> names of its spans."""

    def __init__(self) -> None:
        self.spans: dict[bytes, set[str]] = defaultdict(set)
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        self.address = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def Export(self, request, context):  # noqa: N802, the name is the protocol's
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans[span.trace_id].add(span.name)
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.stop(grace=None)


def metrics(system: System, process: str) -> dict[str, float]:
    """Metric with its labels -> value, as Prometheus would scrape them."""
    address = system.processes[process].wait_for(ADDRESS)
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line and not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


#: What every process says of itself, or those that have to do with it.
FAMILIES = (
    'muster_queue_lag{service="',
    'muster_in_flight{service="',
    'muster_messages_total{service="',
    "muster_verdicts_total{",
    "muster_aws_calls_total{",
    "muster_findings_published_total{",
)
PASSWORD = "s3cret-of-the-engines"


def check_logs(output: str, secrets: tuple[str, ...]) -> None:
    """Each line is JSON for itself, and none holds a secret."""
    lines = [line for line in output.splitlines() if not line.startswith("muster listens")]
    assert len(lines) > 10
    for line in lines:
        assert {"timestamp", "level", "target"} <= json.loads(line).keys()
    for secret in secrets:
        assert secret not in output


def with_password(address: str) -> str:
    """The same place with a password that the engine takes without asking for it."""
    scheme, place = address.split("://")
    user, _, host = place.rpartition("@")
    return f"{scheme}://{user or 'default'}:{PASSWORD}@{host}"


def check_way(collector: Collector) -> None:
    """One trace has every step from discovery to publishing."""
    assert any(WAY <= names for names in collector.spans.values()), sorted(map(sorted, collector.spans.values()))


def test_one_trace_leads_from_discovery_to_publishing(start, collector):
    muster = start(MUSTER_OTLP_ENDPOINT=collector.address)
    muster.settle()
    muster.stop()
    check_way(collector)


def test_a_process_counts_what_its_services_do(standing, demo):
    told = metrics(standing, "muster")
    for family in FAMILIES:
        assert any(name.startswith(family) for name in told), family
    for service in ("inventory", "matching", "scoring", "publishing"):
        assert any(name.startswith(f'muster_messages_total{{service="{service}"') for name in told), service
        lag = [value for name, value in told.items() if name.startswith(f'muster_queue_lag{{service="{service}"')]
        assert lag and not any(lag), "all is done"
    for secret in (SECRET_ACCESS_KEY, demo.password):
        assert not any(secret in name for name in told)


def test_the_trace_crosses_the_bus_between_processes(demo, sinks, engines, collector, tmp_path):
    addresses = {name: with_password(address) for name, address in engines.settings.items()}
    logging = {"MUSTER_LOG_FORMAT": "json", "MUSTER_LOG": "debug", "MUSTER_OTLP_ENDPOINT": collector.address}
    apart = Distributed(demo, tmp_path / "apart", engines, **addresses, **logging)
    with stopping([apart]):
        apart.start()
        apart.settle()
        told = {process: metrics(apart, process) for process in apart.processes}
    check_way(collector)
    for process in apart.processes.values():
        check_logs(process.output(), (PASSWORD, SECRET_ACCESS_KEY, demo.password))
    assert not any(PASSWORD in name for one in told.values() for name in one)

    def some(process: str, beginning: str) -> bool:
        return any(name.startswith(beginning) for name in told[process])

    assert some("discovery", "muster_aws_calls_total{")
    assert some("inventory", 'muster_queue_lag{service="inventory"')
    assert some("matching", 'muster_in_flight{service="matching"')
    assert some("matching", "muster_verdicts_total{") or some("matching-2", "muster_verdicts_total{")
    assert some("scoring", 'muster_messages_total{service="scoring"')
    assert some("publishing", "muster_findings_published_total{")


def test_throttled_calls_are_counted(start, demo):
    demo.accounts.faults(throttle=[{"service": "ec2", "every": 3}])
    muster = start()
    throttles = lambda: sum(  # noqa: E731
        value for name, value in metrics(muster, "muster").items() if name.startswith("muster_aws_throttles_total")
    )
    muster.wait("throttles to be counted", throttles)


def test_logs_are_json_when_asked_and_hold_no_secret(start, demo):
    muster = start(MUSTER_LOG_FORMAT="json", MUSTER_LOG="debug")
    muster.settle()
    muster.stop()
    check_logs(muster.processes["muster"].output(), (SECRET_ACCESS_KEY, demo.password))
