"""AWS is not always kind: denied roles, throttling, failures, short pages, findings that are refused."""

import subprocess

from demo.emulator import MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT
from demo.fleet import REGIONS
from demo.up import ADVISORIES
from expectations import affected
from harness.system import Embedded, binary


def errors(muster) -> dict[tuple[str, str], str]:
    """(account, region) -> what was wrong with its last sweep."""
    return {(row["account_id"], row["region"]): row["error"] for row in muster.status()["accounts"]}


def test_an_account_that_denies_the_role_is_reported_and_the_other_goes_on(start, demo, fleet):
    demo.accounts.faults(deny=[{"service": "sts", "action": "AssumeRole", "account": MEMBER_ACCOUNT}])
    muster = start()

    def reported() -> bool:
        seen = errors(muster)
        return len(seen) == 4 and all("AssumeRole" in seen[MEMBER_ACCOUNT, region] for region in REGIONS)

    muster.wait("the denial in the status of the member account", reported)
    own = {
        pair
        for pair in affected(fleet)
        if pair[0] not in (fleet.instances["ledger"], fleet.resource_id("billing-report"))
    }
    muster.wait("all findings of the management account", lambda: own <= muster.pairs())
    assert all(not errors(muster)[MANAGEMENT_ACCOUNT, region] for region in REGIONS)
    assert fleet.instances["ledger"] not in {resource for resource, _ in muster.pairs()}

    demo.accounts.faults()
    muster.wait("the findings of the member account", lambda: affected(fleet) <= muster.pairs())
    muster.wait("no error any more", lambda: not any(errors(muster).values()))


def test_an_account_that_is_denied_later_keeps_its_findings(muster, demo, fleet):
    before = muster.pairs()
    # The role's credentials are good for an hour yet, so they have to expire too.
    demo.accounts.faults(
        deny=[{"service": "sts", "action": "AssumeRole", "account": MEMBER_ACCOUNT}],
        expired=[{"account": MEMBER_ACCOUNT, "service": service} for service in ("ec2", "ssm", "ecr", "lambda")],
    )
    muster.wait("the denial is reported", lambda: errors(muster)[MEMBER_ACCOUNT, REGIONS[0]])
    assert muster.pairs() == before, "what could not be looked at is not gone"


def test_a_denied_call_costs_only_what_it_would_have_told(start, demo, fleet):
    demo.accounts.faults(deny=[{"service": "ecr", "account": MANAGEMENT_ACCOUNT}])
    muster = start()
    muster.wait("the denied call is named", lambda: "ecr" in errors(muster).get((MANAGEMENT_ACCOUNT, REGIONS[0]), ""))
    images = {fleet.resource_id(name) for name in ("1.0", "1.1", "arm64")}
    rest = {pair for pair in affected(fleet) if pair[0] not in images}
    muster.wait("all other findings", lambda: rest <= muster.pairs())


def test_throttling_and_failures_cost_time_and_no_finding(start, demo, fleet):
    demo.accounts.faults(
        throttle=[
            {"service": service, "every": 3} for service in ("ec2", "ssm", "ecr", "lambda", "securityhub", "events")
        ],
        fail=[{"service": "lambda", "times": 2}, {"service": "ssm", "times": 2}],
    )
    muster = start()
    muster.wait("all findings", lambda: affected(fleet) <= muster.pairs(), 180)


def test_pages_of_one_item_tell_the_same(muster, start, demo):
    expected = muster.findings()
    muster.stop()
    demo.accounts.faults(page_max=1)
    other = start("paged")
    other.settle(180)
    assert other.findings() == expected


def test_a_finding_that_security_hub_refuses_holds_up_no_other_and_arrives_later(muster, start, sinks, demo):
    arns = {finding["arn"] for finding in muster.findings()}
    refused = min(arns)
    muster.stop()
    sinks.clear()
    demo.accounts.faults(securityhub_refuse=[refused])
    again = start("again")
    told = lambda: {finding["Id"] for finding in sinks.hub(RecordState="ACTIVE")}  # noqa: E731
    again.wait("all but the refused finding", lambda: told() == arns - {refused})
    demo.accounts.faults()
    again.wait("the refused one too", lambda: told() == arns)


def test_a_single_pass_that_could_not_read_everything_says_so(demo, sinks, tmp_path):
    def once(name: str, **settings: str) -> subprocess.CompletedProcess:
        system = Embedded(demo, tmp_path / name, **settings)
        folder = tmp_path / name / "data"
        environment = system.environment | {"MUSTER_DATA_FOLDER": str(folder)}
        command = [binary(), "up", "--once", "--listen", "127.0.0.1:0"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)

    whole = once("whole")
    assert whole.returncode == 0, whole.stderr
    demo.accounts.faults(deny=[{"service": "sts", "action": "AssumeRole", "account": MEMBER_ACCOUNT}])
    denied = once("denied")
    assert denied.returncode == 3 and "AssumeRole" in denied.stderr, denied.stderr
    assert denied.stdout.splitlines()[-1].endswith(" findings"), "what could be read is told all the same"
    demo.accounts.faults()
    feeds = f"{ADVISORIES},{tmp_path / 'no-such-feed'}"
    missing = once("missing", MUSTER_FEEDS=feeds)
    assert missing.returncode == 3 and "no-such-feed" in missing.stderr, missing.stderr
