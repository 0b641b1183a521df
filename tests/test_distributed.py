"""The distributed form: the same findings as the single process, and what becomes of a poisoned message."""

from demo.fleet import MANAGEMENT_ACCOUNT, REGION
from expectations import osv

#: With short pauses between deliveries; the default ones take minutes.
DEAD_LETTER_TIMEOUT_S = 60


def test_the_same_findings_to_the_letter(distributed, start):
    apart = distributed.findings()
    distributed.stop()
    muster = start()
    muster.settle()
    together = muster.findings()
    assert apart == together


def test_a_poisoned_message_ends_in_the_dead_letters_and_can_be_replayed(distributed, engines, fleet):
    subject = f"muster.resource.observed.{MANAGEMENT_ACCOUNT}.{REGION}.instance.event"
    engines.publish_to_nats(subject, "poison", b"\xff\xff\xff this is no resource")

    def letters() -> list[dict]:
        return distributed.ask("dead-letters", "list")

    distributed.wait("the dead letter", letters, DEAD_LETTER_TIMEOUT_S)
    [letter] = letters()
    assert letter["subject"] == subject
    assert letter["group"] == "inventory"
    assert "decode" in letter["reason"], letter

    # Nobody waits behind it.
    distributed.advise(osv("GHSA-pppp-qqqq-rrrr", "npm", "minimist", "0.0.9"))
    expected = {fleet.resource_id("thumbnails")}
    distributed.wait("other findings", lambda: distributed.resources_with("GHSA-pppp-qqqq-rrrr") == expected)

    distributed.command("dead-letters", "replay", letter["id"])
    replayed = lambda: [other for other in letters() if other["id"] != letter["id"]]  # noqa: E731
    distributed.wait("it was tried again and failed again", replayed, DEAD_LETTER_TIMEOUT_S)
    assert len(letters()) == 1, "the first letter made way for the second"


def test_an_unknown_dead_letter_cannot_be_replayed(distributed):
    distributed.command("dead-letters", "replay", "123456789", expected=1)
