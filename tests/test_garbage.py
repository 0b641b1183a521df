"""Garbage in: a clear reason in the coverage, all else goes on, and memory stays bounded."""

import gzip
import pytest
from demo import fleet as demo_fleet
from demo import oci
from demo.emulator import MANAGEMENT_ACCOUNT
from demo.fleet import REGION
from expectations import affected, osv
from harness.hostile import layer_of_zeros, tar_with_escaping_paths, zip_of_zeros

REPOSITORY = "garbage/in"
#: Far above what the whole fleet takes, far below any of the bombs.
MEMORY_BYTES_MAX = 768 * 1024 * 1024

RELEASE = b'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n'
GOOD_STATUS = (
    b"Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n\n"
)
BROKEN_STATUS = b"\x00\x01\x02 this is no status file\nPackage\nVersion: \xff\xfe\n\n" + GOOD_STATUS
ZLIB = "CVE-2023-45853"


@pytest.fixture
def push(demo):
    """Pushes an image of one layer, given as files or as the compressed bytes; its resource id."""
    ecr = demo.accounts.client("ecr", MANAGEMENT_ACCOUNT, REGION)
    ecr.create_repository(repositoryName=REPOSITORY)

    def push(tag: str, layer: oci.Layer | bytes) -> str:
        blob, diff_id = oci.layer_blob(layer)
        image = oci.image("amd64", [blob], [diff_id])
        demo.registry.push(REPOSITORY, image, [tag])
        demo_fleet.put_image(ecr, REPOSITORY, image.manifest, [tag])
        return f"arn:aws:ecr:{REGION}:{MANAGEMENT_ACCOUNT}:repository/{REPOSITORY}/{image.digest}"

    yield push
    ecr.delete_repository(repositoryName=REPOSITORY, force=True)


@pytest.fixture
def function(demo):
    """Makes a function of these zip bytes; its resource id."""
    client = demo.accounts.client("lambda", MANAGEMENT_ACCOUNT, REGION)
    made = []

    def function(name: str, code: bytes) -> str:
        arn = demo_fleet.create_function(client, MANAGEMENT_ACCOUNT, name, "nodejs20.x", code, [])
        made.append(name)
        return f"{arn}:$LATEST"

    yield function
    for name in made:
        client.delete_function(FunctionName=name)


def row_of(muster, resource: str) -> dict:
    """The resource's coverage, once it was read."""

    def look() -> dict | None:
        row = muster.coverage().get(resource)
        return row if row and row["reason"] != "PENDING_INITIAL_SCAN" else None

    return muster.wait(f"{resource} is read", look)


def test_a_broken_package_list_names_the_place_and_keeps_what_can_be_read(start, push):
    files = {"etc/os-release": RELEASE, "var/lib/dpkg/status": BROKEN_STATUS}
    resource = push("broken-status", oci.Layer(dict(files)))
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] == "PARTIAL_INVENTORY", row
    assert "var/lib/dpkg/status" in row["detail"]
    muster.wait("the good record counts", lambda: resource in muster.resources_with(ZLIB))


def test_a_truncated_layer_is_named(start, push, fleet):
    whole, _ = oci.layer_blob(oci.Layer({"etc/os-release": RELEASE, "var/lib/dpkg/status": GOOD_STATUS * 5000}))
    digest = oci.digest_of(whole.content[: len(whole.content) // 2])
    resource = push("truncated", whole.content[: len(whole.content) // 2])
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] != "SUCCESSFUL", row
    assert digest.removeprefix("sha256:")[:12] in row["detail"]
    muster.wait("all else is found", lambda: affected(fleet) <= muster.pairs())


def test_a_layer_with_paths_that_lead_outside_is_read_inside_its_root_only(start, push):
    resource = push("escaping", gzip.compress(tar_with_escaping_paths("var/lib/dpkg/status", GOOD_STATUS)))
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] != "SUCCESSFUL", row
    assert ".." in row["detail"]


def test_a_zip_of_ten_gigabytes_of_zeros_is_given_up_in_bounded_memory(start, function, fleet):
    names = [f"node_modules/zeros{number}/package.json" for number in range(3)]
    resource = function("zip-bomb", zip_of_zeros(names))
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] != "SUCCESSFUL", row
    assert "node_modules/zeros" in row["detail"]
    muster.wait("all else is found", lambda: affected(fleet) <= muster.pairs())
    assert muster.processes["muster"].peak_memory_bytes() < MEMORY_BYTES_MAX


def test_a_layer_of_gigabytes_of_zeros_is_given_up_in_bounded_memory(start, push):
    resource = push("zeros", layer_of_zeros("var/lib/dpkg/status"))
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] != "SUCCESSFUL", row
    assert muster.processes["muster"].peak_memory_bytes() < MEMORY_BYTES_MAX


def test_a_zip_that_is_none_is_named(start, function):
    resource = function("no-zip", b"PK this is no zip at all")
    muster = start()
    row = row_of(muster, resource)
    assert row["reason"] != "SUCCESSFUL" and "zip" in row["detail"].lower(), row


def test_broken_advisories_cost_themselves_only(muster, fleet):
    before = muster.pairs()
    (muster.feeds / "osv/broken.json").write_text('{"id": "BROKEN-1", "affected": [{"package"')
    (muster.feeds / "osv/deep.json").write_text("[" * 100_000)
    muster.advise(osv("GHSA-dddd-eeee-ffff", "npm", "minimist", "0.0.9"))
    thumbnails = fleet.resource_id("thumbnails")
    muster.wait("the good record counts", lambda: muster.resources_with("GHSA-dddd-eeee-ffff") == {thumbnails})
    assert before <= muster.pairs()
    assert "broken.json" in muster.processes["muster"].output(), "the log names the broken file"
