"""The fleet or the advisories change, and the findings follow, in Muster and in Security Hub."""

import json

from demo import fleet as demo_fleet
from demo import inventory
from demo.emulator import MANAGEMENT_ACCOUNT
from demo.fleet import DEBIAN_12_0, REGION
from expectations import osv


def archived_in_hub(sinks, arns: set[str]) -> bool:
    states = sinks.hub_states(arns)
    return states == dict.fromkeys(arns, "ARCHIVED")


def test_a_new_vulnerability_opens_findings_on_exactly_the_affected_resources(muster, sinks, fleet):
    before = muster.pairs()
    # lodash 4.17.4 is in the images of amd64 and in one function; lodash is not an affected Debian or Python package.
    muster.advise(osv("GHSA-aaaa-bbbb-cccc", "npm", "lodash", "4.17.5"))
    expected = {fleet.resource_id(name) for name in ("1.0", "1.1", "thumbnails")}
    muster.wait("the new findings", lambda: muster.resources_with("GHSA-aaaa-bbbb-cccc") == expected)
    muster.settle()
    assert muster.pairs() - before == {(resource, "GHSA-aaaa-bbbb-cccc") for resource in expected}
    assert before <= muster.pairs()
    arns = {finding["arn"] for finding in muster.findings("--vulnerability", "GHSA-aaaa-bbbb-cccc")}
    assert sinks.hub_states(arns) == dict.fromkeys(arns, "ACTIVE")


def test_a_withdrawn_advisory_closes_its_findings(muster, sinks):
    file = muster.feeds / "osv/GHSA-fvqr-27wr-82fm.json"
    arns = {finding["arn"] for finding in muster.findings("--vulnerability", "CVE-2018-3721")}
    assert arns
    muster.advise(json.loads(file.read_text()) | {"withdrawn": "2026-11-24T00:00:00Z"})
    muster.wait("the findings to close", lambda: not muster.resources_with("CVE-2018-3721"))
    muster.wait("Security Hub to archive them", lambda: archived_in_hub(sinks, arns))


def test_an_upgraded_package_closes_its_findings_and_no_others(muster, sinks, demo, fleet):
    batch = fleet.instances["batch"]
    before = {finding["vulnerability_id"] for finding in muster.findings("--resource", batch)}
    [closing] = muster.findings("--resource", batch, "--vulnerability", "CVE-2023-5363")
    old = inventory.of_list(DEBIAN_12_0)
    fixed = "3.0.11-1~deb12u2"
    newer = [
        entry | {"Version": fixed, "SourceVersion": fixed} if entry["SourceName"] == "openssl" else entry
        for entry in old
    ]
    try:
        demo_fleet.put_inventory(demo.accounts, MANAGEMENT_ACCOUNT, batch, newer)
        muster.wait("the finding to close", lambda: batch not in muster.resources_with("CVE-2023-5363"))
        muster.wait("Security Hub to archive it", lambda: archived_in_hub(sinks, {closing["arn"]}))
        after = {finding["vulnerability_id"] for finding in muster.findings("--resource", batch)}
        assert before - after == {"CVE-2023-5363"}
        assert "CVE-2024-6119" in after, "fixed later than this upgrade"
    finally:
        demo_fleet.put_inventory(demo.accounts, MANAGEMENT_ACCOUNT, batch, old)
    muster.wait(
        "the old version is back, and the finding open again", lambda: batch in muster.resources_with("CVE-2023-5363")
    )
    muster.wait(
        "it is active in Security Hub again", lambda: sinks.hub_states({closing["arn"]}) == {closing["arn"]: "ACTIVE"}
    )


def test_a_closed_port_closes_the_network_finding_and_lowers_the_scores_of_the_instance(muster, sinks, demo, fleet):
    web = fleet.instances["web"]
    network = [f for f in muster.findings("--resource", web) if f["finding_type"] == "NETWORK_REACHABILITY"]
    arns = {finding["arn"] for finding in network}
    assert arns

    def score() -> float:
        [finding] = muster.findings("--resource", web, "--vulnerability", "CVE-2023-45853")
        return finding["inspector_score"]

    exposed = score()
    ec2 = demo.accounts.client("ec2", MANAGEMENT_ACCOUNT, REGION)
    group = fleet.security_groups["web"]
    everywhere = {"CidrIp": "0.0.0.0/0"}
    ports = [demo_fleet.permission(port, everywhere) for port in (22, 443)]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=ports)
    try:
        muster.wait("the network findings to close", lambda: archived_in_hub(sinks, arns))
        muster.wait("the score to fall", lambda: score() < exposed)
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ports)
    muster.wait("the score to rise again", lambda: score() == exposed)


def test_a_deleted_function_closes_its_findings(start, sinks, demo):
    client = demo.accounts.client("lambda", MANAGEMENT_ACCOUNT, REGION)
    code = demo_fleet.zip_of(demo_fleet.files_of(demo.software.npm("thumbnails", demo_fleet.THUMBNAILS_NPM)))
    arn = demo_fleet.create_function(client, MANAGEMENT_ACCOUNT, "short-lived", "nodejs20.x", code, [])
    try:
        muster = start()
        muster.settle()
        findings = muster.findings("--resource", f"{arn}:$LATEST")
        assert {"CVE-2019-10744", "CVE-2021-44906"} <= {finding["vulnerability_id"] for finding in findings}
    finally:
        client.delete_function(FunctionName="short-lived")
    muster.wait("the findings to close", lambda: not muster.findings("--resource", f"{arn}:$LATEST"))
    muster.wait("Security Hub to archive them", lambda: archived_in_hub(sinks, {f["arn"] for f in findings}))
