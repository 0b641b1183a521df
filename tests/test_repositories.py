"""A running Muster takes its advisories from a signed repository, and refuses what is not signed, broken or old."""

import json
import shutil
from pathlib import Path

import pytest
from demo.up import ADVISORIES
from expectations import affected, osv
from harness.command_line import run

LODASH = "GHSA-aaaa-bbbb-cccc"


class Publisher:
    """Builds, signs and publishes the demo's advisories."""

    def __init__(self, folder: Path) -> None:
        self.feeds, self.repository = folder / "feeds", folder / "repository"
        self.database = folder / "published.advisories"
        self.key = str(folder / "public.pem")
        shutil.copytree(ADVISORIES, self.feeds)
        self.secret = self.keygen(folder, "secret.pem", self.key)
        self.stranger = self.keygen(folder, "stranger.pem", str(folder / "stranger-public.pem"))

    @staticmethod
    def keygen(folder: Path, name: str, public: str) -> str:
        run("db", "keygen", "--secret", str(folder / name), "--public", public)
        return str(folder / name)

    def publish(self, *records: dict) -> None:
        """A new epoch that has these records, too."""
        for record in records:
            (self.feeds / f"osv/{record['id']}.json").write_text(json.dumps(record))
        run("db", "build", "--from", str(self.feeds), "--output", str(self.database))
        run("db", "publish", str(self.database), "--repository", str(self.repository), "--key", self.secret)

    def settings(self) -> dict[str, str]:
        return {"MUSTER_REPOSITORY": str(self.repository), "MUSTER_REPOSITORY_KEYS": self.key}

    @property
    def index(self) -> Path:
        return self.repository / "index.json"


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    (folder := tmp_path / "publisher").mkdir()
    publisher = Publisher(folder)
    publisher.publish()
    return publisher


def replace(file: Path, content: str) -> None:
    (beside := file.with_name("beside")).write_text(content)
    beside.rename(file)


def test_a_repository_is_followed_and_what_is_wrong_with_it_is_refused(start, publisher, fleet):
    muster = start(**publisher.settings())
    muster.settle()
    assert affected(fleet) <= muster.pairs()
    [feed] = muster.status()["feeds"]
    assert feed["location"] == str(publisher.repository) and feed["error"] == "" and feed["records"] > 10
    first = publisher.index.read_text()

    # An epoch with a new record is taken, by its delta, and only what it touches is judged again.
    expected = {fleet.resource_id(name) for name in ("1.0", "1.1", "thumbnails")}
    publisher.publish(osv(LODASH, "npm", "lodash", "4.17.5"))
    muster.wait("the new findings", lambda: muster.resources_with(LODASH) == expected)
    epoch = muster.status()["epoch"]
    assert (epoch["number"], epoch["last_delta"]) == (2, {"added": 1, "changed": 0, "withdrawn": 0})
    table = muster.command("status")
    assert "last delta: 1 records added, 0 changed, 0 withdrawn" in table
    assert f"feed {publisher.repository}: looked at " in table
    good = publisher.index.read_text()

    def refused(what: str, index: str, why: str) -> None:
        replace(publisher.index, index)
        muster.wait(f"{what} to be refused", lambda: why in muster.status()["feeds"][0]["error"])
        assert muster.status()["epoch"] == epoch and muster.resources_with(LODASH) == expected, what

    envelope = json.loads(good)
    other = json.loads(first)
    refused("an index without a signature", json.dumps(envelope | {"signatures": []}), "has no signature")
    refused("another payload", json.dumps(envelope | {"payload": other["payload"]}), "is not what key")
    refused("the index of an older epoch", first, "epoch 2 is here already")
    strangers = publisher.repository.with_name("strangers")
    run("db", "publish", str(publisher.database), "--repository", str(strangers), "--key", publisher.stranger)
    refused("a stranger's signature", (strangers / "index.json").read_text(), "none of which is trusted")
    # Without its copy Muster still knows what is in use.
    (muster.folder / "muster/feeds/repository.advisories").unlink()
    refused("an older epoch, the copy being gone", first, "before the database in use")
    refused("no index at all", "", "is not a signed envelope")

    # What comes after is taken as if nothing had been.
    replace(publisher.index, good)
    publisher.publish(osv(LODASH, "npm", "lodash", "4.17.4"))
    muster.wait("the findings to close", lambda: not muster.resources_with(LODASH))
    status = muster.status()
    assert (status["epoch"]["number"], status["epoch"]["last_delta"]["changed"]) == (3, 1)
    assert status["feeds"][0]["error"] == ""


def test_a_damaged_delta_is_replaced_by_the_full_file(start, publisher, fleet):
    muster = start(**publisher.settings())
    muster.settle()
    index = publisher.index.read_text()
    publisher.publish(osv(LODASH, "npm", "lodash", "4.17.5"))
    # As a server that is half-way through an upload: the index is new, the delta not what it lists.
    newer = publisher.index.read_text()
    replace(publisher.index, index)
    for delta in publisher.repository.glob("*.delta"):
        delta.write_bytes(b"x" * delta.stat().st_size)
    replace(publisher.index, newer)
    muster.wait("the new findings", lambda: len(muster.resources_with(LODASH)) == 3)


def test_a_repository_needs_keys_that_can_be_read(tmp_path, publisher):
    settings = publisher.settings() | {"MUSTER_DATA_FOLDER": str(tmp_path / "data")}
    without = {name: value for name, value in settings.items() if name != "MUSTER_REPOSITORY_KEYS"}
    up = ("up", "--listen", "127.0.0.1:0", "--services", "advisories")
    assert "--repository-key" in run(*up, environment=without, expected="usage").stderr
    wrong = run(*up, environment=settings | {"MUSTER_REPOSITORY_KEYS": publisher.secret}, expected="failed")
    assert publisher.secret in wrong.stderr
