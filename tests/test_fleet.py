"""The demo fleet as it stands: what is found on it, and what a user gets to see."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from demo.fleet import MANAGEMENT_ACCOUNT, REGION, SECOND_REGION
from expectations import affected, not_affected
from harness.processes import clean_environment
from harness.sinks import Sinks
from harness.system import binary


@pytest.fixture
def told(demo) -> Sinks:
    """The sinks as the standing Muster left them."""
    return Sinks(demo.accounts)


def test_known_weaknesses_are_found_and_nothing_that_is_fixed(standing, fleet):
    pairs = standing.pairs()
    assert affected(fleet) <= pairs
    assert not (not_affected(fleet) & pairs)


def test_security_hub_has_every_active_finding_once(standing, told):
    ids = [finding["Id"] for finding in told.hub(RecordState="ACTIVE")]
    assert len(ids) == len(set(ids))
    assert set(ids) == {finding["arn"] for finding in standing.findings()}


def test_eventbridge_has_every_finding_with_an_id_for_each_event(standing, told):
    events = told.events()
    ids = [event["detail"]["eventId"] for event in events]
    assert len(ids) == len(set(ids))
    assert {event["source"] for event in events} == {"muster"}
    assert {event["account"] for event in events} == {finding["account_id"] for finding in standing.findings()}
    assert len(ids) >= len(standing.findings())


def test_only_the_open_port_on_a_public_address_is_reachable(standing, fleet):
    network = [f for f in standing.findings() if f["finding_type"] == "NETWORK_REACHABILITY"]
    assert {finding["resource_id"] for finding in network} == {fleet.instances["web"]}
    assert 22 in {finding["network"]["port_begin"] for finding in network}


def test_coverage_says_why_an_instance_is_not_scanned(standing, fleet):
    coverage = standing.coverage()
    assert coverage[fleet.instances["legacy"]]["reason"] == "UNMANAGED_EC2_INSTANCE"
    for name in ("web", "batch", "ledger"):
        assert coverage[fleet.instances[name]]["reason"] == "SUCCESSFUL", coverage[fleet.instances[name]]
    for name in ("1.0", "1.1", "arm64", "orders-api", "thumbnails", "billing-report"):
        assert coverage[fleet.resource_id(name)]["reason"] == "SUCCESSFUL", coverage[fleet.resource_id(name)]


def test_the_second_account_and_region_are_reached_by_the_role(standing, fleet):
    row = standing.coverage()[fleet.resource_id("billing-report")]
    assert (row["account_id"], row["region"]) != (MANAGEMENT_ACCOUNT, REGION)
    assert row["region"] == SECOND_REGION


def test_the_aws_command_line_lists_the_findings(standing, demo):
    aws = Path(sys.executable).parent / "aws"
    if not aws.exists():
        pytest.fail("the AWS command line is missing: it is in demo/requirements.txt")
    command = [str(aws), "inspector2", "list-findings", "--endpoint-url", standing.address, "--region", REGION]
    environment = clean_environment() | demo.environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert {finding["findingArn"] for finding in findings} == {finding["arn"] for finding in standing.findings()}


def test_a_finding_explains_itself(standing, fleet):
    [finding] = standing.findings("--resource", fleet.instances["batch"], "--vulnerability", "CVE-2023-5363")
    explanation = standing.command("findings", "explain", finding["arn"])
    for word in ("3.0.9-1", "3.0.11-1~deb12u2", "openssl"):
        assert word in explanation


def test_once_ends_after_a_complete_pass_with_the_counts_on_the_last_line(demo, sinks, tmp_path):
    environment = clean_environment() | demo.environment() | {"MUSTER_DATA_FOLDER": str(tmp_path)}
    command = [binary(), "up", "--once", "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    counts = re.fullmatch(r"(\d+) resources, (\d+) packages, (\d+) findings", last)
    assert counts, done.stdout
    resources, packages, findings = map(int, counts.groups())
    assert resources == 10  # four instances, three platforms of images, three functions
    assert packages > 100 and findings > 20
    assert "CRITICAL" in done.stdout
    assert "\x1b" not in done.stdout, "a pipe gets no colours"
    assert len(sinks.hub(RecordState="ACTIVE")) == findings


def test_a_restart_finds_the_same_and_tells_nobody_again(muster, sinks):
    before = muster.findings()
    sinks.events()
    muster.stop()
    muster.restart("muster")
    muster.settle()
    assert muster.findings() == before
    assert sinks.events() == []
