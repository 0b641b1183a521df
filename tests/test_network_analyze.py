"""`muster network analyze`: a folder of what the AWS CLI printed, as a newcomer meets it."""

import json
import os
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest
from harness.command_line import run
from harness.network_folder import ACCOUNT, REGION, WORLD, acl_entry, answers, interface, rule, write


def analyze(folder: Path, *more: str, expected: str = "good") -> list[dict[str, Any]]:
    return json.loads(run("network", "analyze", str(folder), "--format", "json", *more, expected=expected).stdout)


def why(folder: Path, *question: str, expected: str = "good") -> dict[str, Any]:
    arguments = ["network", "analyze", str(folder), "--format", "json", "--why", *question]
    return json.loads(run(*arguments, expected=expected).stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "net", answers())


def test_what_can_be_reached_is_an_array_of_exactly_these_keys(folder):
    web, tls = analyze(folder)
    assert web == {
        "account": ACCOUNT,
        "region": REGION,
        "resource": "i-4",
        "interface": "eni-4",
        "protocol": "TCP",
        "port_begin": 80,
        "port_end": 81,  # two adjacent rules are one range
        "edge": "internet",
        "sources": web["sources"],
        "path": ["igw-1", "acl-1", "sg-web", "eni-4", "i-4"],
    }
    assert tls["port_begin"] == tls["port_end"] == 443
    assert list(web) == list(tls) and "198.51.100.0/24" not in web["sources"]


def test_a_table_tells_the_same_to_people(folder):
    done = run("network", "analyze", str(folder))
    assert "TCP 80-81" in done.stdout and "igw-1 > acl-1 > sg-web > eni-4 > i-4" in done.stdout
    assert "2 port ranges of 1 resource can be reached" in done.stdout
    assert not done.stderr and "\x1b" not in done.stdout


def test_nothing_in_reach_is_an_empty_array(tmp_path):
    files = answers()
    files["describe-network-interfaces.json"] = {"NetworkInterfaces": [interface(5, "sg-db")]}
    folder = write(tmp_path / "net", files)
    assert analyze(folder) == []
    assert "0 port ranges" in run("network", "analyze", str(folder)).stdout


def test_folders_of_accounts_and_regions_name_them(tmp_path):
    write(tmp_path / "444455556666/us-east-1", answers())
    write(tmp_path / "777788889999/eu-west-1", answers())
    found = {(row["account"], row["region"]) for row in analyze(tmp_path)}
    assert found == {("444455556666", "us-east-1"), ("777788889999", "eu-west-1")}


def test_a_filter_shows_a_part(folder):
    assert len(analyze(folder, "--edge", "internet", "--resource", "i-4")) == 2
    assert len(analyze(folder, "--resource", "eni-4,i-9")) == 2
    assert analyze(folder, "--edge", "peer,vpn") == []
    run("network", "analyze", str(folder), "--edge", "moon", expected="usage")


@pytest.mark.parametrize(
    "content, words",
    [
        ("", "the file is empty"),
        ('{"NetworkAcls": [', "EOF while parsing"),
        ("{}", "it has no `NetworkAcls`"),
        ('{"Vpcs": []}', "it has no `NetworkAcls`"),
        ('{"NetworkAcls": [{}]}', "record 1 of `NetworkAcls`"),
        ('{"NetworkAcls": ' + "[" * 100_000, "no answer of the call"),
        ("An error occurred (UnauthorizedOperation) when calling the DescribeNetworkAcls operation: no", "AWS refused"),
    ],
)
def test_a_broken_file_names_itself_and_what_depends_on_it_is_undetermined(tmp_path, content, words):
    folder = write(tmp_path / "net", answers() | {"describe-network-acls.json": content})
    done = run("network", "analyze", str(folder), "--format", "json", expected="incomplete")
    assert json.loads(done.stdout) == []
    broken, *undetermined = done.stderr.splitlines()
    assert "describe-network-acls.json" in broken and words in broken
    assert undetermined and all(line.startswith("undetermined: ") for line in undetermined)
    assert any("i-4" in line and "ec2:DescribeNetworkAcls" in line for line in undetermined)


def test_a_missing_file_is_undetermined_where_something_needs_it(tmp_path):
    for name in answers():
        files = answers()
        files.pop(name)
        folder = write(tmp_path / name, files)
        needed = name not in ("describe-subnets.json", "describe-vpcs.json")  # the route table tells the VPC's blocks
        if not needed:
            continue
        done = run("network", "analyze", str(folder), "--format", "json", expected="incomplete")
        assert json.loads(done.stdout) == [], name
        assert name in done.stderr, name
    # Nothing leads to a transit gateway or a peer, so that nobody misses them.
    assert run("network", "analyze", str(write(tmp_path / "whole", answers()))).stderr == ""


def test_an_incomplete_answer_is_not_a_whole_one(tmp_path):
    files = answers()
    files["describe-network-interfaces.json"]["NextToken"] = "abc"
    done = run("network", "analyze", str(write(tmp_path / "net", files)), expected="incomplete")
    assert "describe-network-interfaces.json: the answer goes on" in done.stderr
    assert "TCP 443" in done.stdout


def test_what_could_not_be_told_can_be_had_as_json(tmp_path):
    folder = write(tmp_path / "net", answers() | {"describe-network-acls.json": ""})
    output = tmp_path / "undetermined.json"
    analyze(folder, "--undetermined", str(output), expected="incomplete")
    found = json.loads(output.read_text())
    assert any(one.get("resource") == "i-4" and one["call"] == "ec2:DescribeNetworkAcls" for one in found)


def test_what_is_no_answer_is_named_and_ignored(folder, tmp_path):
    write(folder, {"notes.txt": "x", "describe-vpcs-vpc-1.json": {"Vpcs": []}, ".hidden": "x"})
    (folder / "elsewhere.json").symlink_to("/etc/hostname")
    os.mkfifo(folder / "describe-addresses.json")
    done = run("network", "analyze", str(folder))
    told = done.stderr.splitlines()
    assert len(told) == 4 and all("ignored" in line for line in told), done.stderr
    assert ".hidden" not in done.stderr and "leads out of the folder" in done.stderr

    other = tmp_path / "linked"
    other.mkdir()
    (other / "describe-vpcs.json").symlink_to(folder / "describe-vpcs.json")
    assert "holds no answer" in run("network", "analyze", str(other), expected="failed").stderr


def test_an_error_is_one_line_that_names_the_thing_at_fault(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    net = str(folder)
    for arguments, words in [
        ((str(tmp_path / "nowhere"),), "nowhere"),
        ((str(tmp_path / "empty"),), "holds no answer of an AWS call"),
        ((str(tmp_path / "file"),), "is no folder"),
        ((net, "--diff", str(tmp_path / "nowhere")), "nowhere"),
        ((net, "--why", "internet", "i-404", "tcp/22"), "i-404"),
        ((net, "--why", "10.0.0.0/8", "i-4", "tcp/22"), "10.0.0.0/8"),
        ((net, "--why", "nobody!", "i-4", "tcp/22"), "nobody!"),
        ((net, "--why", "internet", "i-4", "tcp"), "`tcp` is no port"),
        ((net, "--why", "internet", "i-4", "tcp/70000"), "tcp/70000"),
        ((net, "--why", "internet", "i-4", "icmp/8"), "icmp"),
        ((net, "--why", "internet", "i-4", "tcp/22", "--picture", f"{net}/describe-vpcs.json"), "is not overwritten"),
        ((net, "--why", "internet", "i-4", "tcp/22", "--picture", "/no/such/x.svg"), "/no/such/x.svg"),
        ((net, "--undetermined", f"{net}/describe-addresses.json"), "is not overwritten"),
    ]:
        done = run("network", "analyze", *arguments, expected="failed")
        assert len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
        assert not done.stdout
    for arguments in [
        (),
        (net, "--why", "internet", "i-4"),
        (net, "--format", "xml"),
        (net, "--picture", "x.svg"),
        (net, "--diff", net, "--why", "internet", "i-4", "tcp/22"),
    ]:
        run("network", "analyze", *arguments, expected="usage")


def test_why_tells_the_path_or_what_stops_it(folder, tmp_path):
    open_ = why(folder, "192.0.2.1", "i-4", "tcp/443")
    assert list(open_) == ["verdict", "path", "blocked_by", "changes", "candidates"]
    assert open_["verdict"] == "reachable" and open_["blocked_by"] is None and open_["changes"] == []
    assert open_["path"][0] == "igw-1" and open_["path"][-1] == "i-4"

    closed = why(folder, "192.0.2.1", "i-4", "tcp/22")
    assert closed["verdict"] == "blocked" and closed["changes"]
    assert list(closed["blocked_by"]) == ["component", "rule", "reason"]
    assert closed["blocked_by"]["component"] == "sg-web"

    assert why(folder, "i-4", "i-5", "tcp/5432")["verdict"] == "reachable"
    assert why(folder, "i-5", "eni-4", "tcp/5432")["verdict"] == "blocked"
    text = run("network", "analyze", str(folder), "--why", "internet", "i-4", "tcp/22").stdout
    assert "blocked" in text and "sg-web" in text and "to let it pass" in text

    broken = write(tmp_path / "broken", answers() | {"describe-network-acls.json": ""})
    unknown = why(broken, "192.0.2.1", "i-4", "tcp/443", expected="incomplete")
    assert unknown["verdict"] == "undetermined" and "DescribeNetworkAcls" in json.dumps(unknown)
    nobody = write(tmp_path / "nobody", answers() | {"describe-network-interfaces.json": ""})
    assert why(nobody, "192.0.2.1", "i-4", "tcp/443", expected="incomplete")["verdict"] == "undetermined"


def test_a_picture_is_svg(folder):
    picture = folder / "path.svg"  # beside the answers is fine, over one of them is not
    question = ["--why", "internet", "i-4", "tcp/443", "--picture", str(picture)]
    run("network", "analyze", str(folder), *question)
    root = xml.etree.ElementTree.parse(picture).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "eni-4" in picture.read_text()


def test_a_difference_tells_what_a_change_opens_and_closes(folder, tmp_path):
    files = answers()
    web = files["describe-security-groups.json"]["SecurityGroups"][0]["IpPermissions"]
    web[:] = [rule(443, **WORLD), rule(22, **WORLD), rule(80, **WORLD)]
    after = write(tmp_path / "after", files)
    text = run("network", "analyze", str(folder), "--diff", str(after)).stdout
    assert "TCP 22" in text and "TCP 81" in text and "TCP 443" not in text and "TCP 80" not in text
    document = run("network", "analyze", str(folder), "--diff", str(after), "--format", "json").stdout
    assert '"port_begin": 22' in document and '"port_begin": 81' in document and '"port_begin": 443' not in document

    files["describe-network-acls.json"] = ""
    unknown = write(tmp_path / "unknown", files)
    assert "undetermined" in run("network", "analyze", str(folder), "--diff", str(unknown), expected="incomplete").stdout
    nothing = run("network", "analyze", str(folder), "--diff", str(folder)).stdout
    assert "nothing changes" in nothing


def test_a_deny_before_the_allow_closes(tmp_path):
    files = answers()
    files["describe-network-acls.json"]["NetworkAcls"][0]["Entries"].insert(0, acl_entry(90, "deny", False))
    folder = write(tmp_path / "net", files)
    assert analyze(folder) == []
    answer = why(folder, "192.0.2.1", "i-4", "tcp/443")
    assert answer["blocked_by"]["component"] == "acl-1" and "90" in answer["blocked_by"]["rule"]
