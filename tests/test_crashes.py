"""`kill -9` at any moment: nothing is lost, nothing is told under two names."""

from collections import Counter

import pytest
from demo import fleet as demo_fleet
from demo.fleet import MANAGEMENT_ACCOUNT, REGION
from expectations import affected, osv
from harness.system import SERVICES

#: PutEvents takes so many at once: at most these are told again after a crash (EventBridge has no key of its own).
EVENTS_BATCH = 10


def check_sinks(muster, sinks, crashes: int) -> None:
    """Every active finding is in Security Hub under one id, and events repeat within the batches in flight only."""
    active = {finding["arn"] for finding in muster.findings()}
    told = sinks.hub(RecordState="ACTIVE")
    assert {finding["Id"] for finding in told} == active
    assert len(told) == len(active)
    weaknesses = Counter((finding["Title"], finding["Resources"][0]["Id"]) for finding in told)
    assert not [weakness for weakness, count in weaknesses.items() if count > 1]

    events = Counter(event["detail"]["eventId"] for event in sinks.events())
    repeated = sum(count - 1 for count in events.values())
    assert repeated <= EVENTS_BATCH * crashes, f"{repeated} events told again after {crashes} crashes"


def test_the_single_process_is_killed_at_any_moment_of_its_first_pass(start, sinks, fleet):
    muster = start()
    reached = [
        lambda: muster.status()["resources"] > 0,
        lambda: muster.status()["findings"].get("HIGH", 0) > 0,
        lambda: sinks.hub(MANAGEMENT_ACCOUNT),
    ]
    for step in reached:
        muster.wait("the next step of the pass", step)
        muster.kill("muster")
        muster.restart("muster")
    muster.settle(180)
    assert affected(fleet) <= muster.pairs()
    check_sinks(muster, sinks, crashes=len(reached))


@pytest.fixture
def told_once(distributed, sinks):
    """A distributed Muster that has told everything; what it told at first does not count any more."""
    sinks.events()
    return distributed


def test_any_service_is_killed_while_it_works(told_once, sinks, fleet):
    expected = {fleet.resource_id(name) for name in ("1.0", "1.1", "thumbnails")}
    for number, service in enumerate(SERVICES):
        # Work for all of them: a new advisory, and at the same moment the death of one.
        identity = f"GHSA-kkkk-{number:04}-llll"
        told_once.advise(osv(identity, "npm", "lodash", "4.17.5"))
        told_once.kill(service)
        told_once.restart(service)
        told_once.wait(
            f"{service} was killed; the findings of {identity}",
            lambda identity=identity: told_once.resources_with(identity) == expected,
        )
    told_once.settle()
    check_sinks(told_once, sinks, crashes=len(SERVICES))


def test_one_of_two_matchers_dies_and_the_other_takes_over(told_once, fleet):
    told_once.kill("matching-2")
    told_once.advise(osv("GHSA-mmmm-nnnn-oooo", "npm", "minimist", "0.0.9"))
    expected = {fleet.resource_id("thumbnails")}
    told_once.wait("the findings", lambda: told_once.resources_with("GHSA-mmmm-nnnn-oooo") == expected)


def test_discovery_dies_in_the_middle_of_a_sweep_and_its_successor_sees_what_changed(told_once, demo, fleet):
    demo.accounts.faults(slow=[{"service": "ec2", "ms": 300}])
    calls = demo.accounts.calls
    before = sum(calls().values())
    told_once.wait("a sweep to be under way", lambda: sum(calls().values()) > before)
    told_once.kill("discovery")
    demo.accounts.faults()
    told_once.restart("discovery")

    client = demo.accounts.client("lambda", MANAGEMENT_ACCOUNT, REGION)
    code = demo_fleet.zip_of(demo_fleet.files_of(demo.software.npm("thumbnails", demo_fleet.THUMBNAILS_NPM)))
    arn = demo_fleet.create_function(client, MANAGEMENT_ACCOUNT, "after-the-crash", "nodejs20.x", code, [])
    try:
        told_once.wait("the new function's findings", lambda: told_once.findings("--resource", f"{arn}:$LATEST"))
    finally:
        client.delete_function(FunctionName="after-the-crash")
