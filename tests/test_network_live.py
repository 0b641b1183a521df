"""A network in the emulated AWS, swept by a running Muster and described as a folder of answers: both say the same."""

import json

import pytest
from demo.fleet import MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT
from harness import command_line, networks


@pytest.fixture(scope="module")
def network(demo) -> networks.Network:
    """Made once; it is in a region of its own, which nothing else sweeps."""
    demo.accounts.faults()
    return networks.build(demo.accounts)


@pytest.fixture
def swept(network, start):
    """A Muster that has read that region of both accounts."""
    system = start(MUSTER_REGIONS=networks.REGION)
    system.settle()
    return system


def live(system) -> list[dict]:
    answers = [
        system.ask("network", "reachability", "--account", account, "--region", networks.REGION)
        for account in networks.ACCOUNTS
    ]
    return in_order(answers[0] + answers[1])


def in_order(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=json.dumps)


def ways(rows: list[dict], resource: str) -> set[tuple[str, int]]:
    """(edge, first port) of what is reached."""
    return {(row["edge"], row["port_begin"]) for row in rows if row["resource"] == resource}


def test_what_is_discovered_live_is_what_the_folder_of_answers_says(demo, network, swept, tmp_path):
    folder = networks.describe(demo.accounts, tmp_path / "answers")
    done = command_line.run("network", "analyze", str(folder), "--format", "json")
    offline, found = in_order(json.loads(done.stdout)), live(swept)
    assert found == offline
    assert ways(found, network.web) >= {("internet", 22), ("internet", 8443)}
    office = [row for row in found if row["resource"] == network.web and row["port_begin"] == 8443]
    assert [row["sources"] for row in office] == [["203.0.113.0/24"]]
    # Both accounts are looked at together, so that what the partner's own network does is known.
    assert ("peer", 5432) in ways(found, network.database) and ("peer", 443) in ways(found, network.remote)
    assert ("transit", 22) in ways(found, network.database)
    assert ("internet", 8080) in ways(found, network.database), "through the load balancer"
    assert ("internet", 443) in ways(found, network.function), "by its URL"


def test_each_edge_has_a_finding_of_its_own(network, swept):
    found = [f for f in swept.findings() if f["finding_type"] == "NETWORK_REACHABILITY"]
    titles = {(finding["resource_id"], finding["title"], finding["severity"]) for finding in found}
    assert {
        (network.web, "Port 22 is reachable from an Internet Gateway - TCP", "MEDIUM"),
        (network.database, "Port 5432 is reachable from a VPC Peering Connection - TCP", "INFORMATIONAL"),
        (network.database, "Port 22 is reachable from a Transit Gateway - TCP", "LOW"),
        (network.database, "Port 8080 is reachable from an Internet Gateway - TCP", "INFORMATIONAL"),
    } <= titles
    assert any(resource.startswith(network.function) for resource, _, _ in titles)
    assert len({finding["id"] for finding in found}) == len(found)


def test_a_denied_call_leaves_open_only_what_depends_on_it(demo, network, swept, start):
    known = live(swept)
    denied = {"service": "elasticloadbalancing", "action": "DescribeTargetHealth"}
    demo.accounts.faults(deny=[denied])
    system = start(name="denied", MUSTER_REGIONS=networks.REGION)
    system.wait("the sweep is told", lambda: any(a["error"] for a in system.status()["accounts"]))
    system.settle()
    arguments = ("--account", MANAGEMENT_ACCOUNT, "--region", networks.REGION, "--format", "json")
    rows = json.loads(system.command("network", "reachability", *arguments, expected=3))
    assert ways(rows, network.web) == ways(known, network.web)
    assert ("peer", 5432) in ways(rows, network.database)
    assert ("internet", 8080) not in ways(rows, network.database)
    other = system.ask("network", "reachability", "--account", MEMBER_ACCOUNT, "--region", networks.REGION)
    assert ways(other, network.remote) == ways(known, network.remote)
    errors = [account["error"] for account in system.status()["accounts"] if account["account_id"] == MANAGEMENT_ACCOUNT]
    assert "elasticloadbalancing:DescribeTargetHealth" in errors[0]
