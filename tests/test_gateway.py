"""The door: Inspector's own clients, gRPC with reflection, and who may enter."""

import base64
import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from botocore.exceptions import ClientError
from conftest import stopping
from demo.emulator import MANAGEMENT_ACCOUNT
from harness.clients import Questions, aws, inspector
from harness.processes import ADDRESS, Process, clean_environment
from harness.system import SERVICES, Embedded, System, binary

KEY_ID, SECRET = "AKIDOOR", "the-secret-of-the-door"


def equals(value: str) -> list[dict]:
    return [{"comparison": "EQUALS", "value": value}]


def test_boto3_pages_through_all_findings_in_order(standing):
    pages = (
        inspector(standing.address)
        .get_paginator("list_findings")
        .paginate(sortCriteria={"field": "INSPECTOR_SCORE", "sortOrder": "DESC"}, PaginationConfig={"PageSize": 7})
    )
    found = [finding for page in pages for finding in page["findings"]]
    assert {finding["findingArn"] for finding in found} == {finding["arn"] for finding in standing.findings()}
    assert len(found) == len({finding["findingArn"] for finding in found})
    scores = [finding.get("inspectorScore", -1) for finding in found]
    assert scores == sorted(scores, reverse=True)


def test_a_wrong_question_is_refused_in_words_that_name_the_fault(standing):
    client = inspector(standing.address)

    def refused(words: str, **request: object) -> None:
        with pytest.raises(ClientError) as error:
            client.list_findings(**request)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        assert words in error.value.response["Error"]["Message"]

    refused("codeRepositoryProjectName", filterCriteria={"codeRepositoryProjectName": equals("x")})
    refused("sortCriteria.field", sortCriteria={"field": "VENDOR_SEVERITY", "sortOrder": "ASC"})
    token = client.list_findings(maxResults=1)["nextToken"]
    refused("nextToken", nextToken=token, filterCriteria={"severity": equals("HIGH")})
    refused("nextToken", nextToken="made up")
    with pytest.raises(ClientError) as error:
        client.list_members()
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_the_status_of_accounts_is_told(standing):
    answer = inspector(standing.address).batch_get_account_status(accountIds=[MANAGEMENT_ACCOUNT, "999999999999"])
    [account] = answer["accounts"]
    assert account["accountId"] == MANAGEMENT_ACCOUNT
    assert account["state"]["status"] == account["resourceState"]["ec2"]["status"] == "ENABLED"
    assert account["resourceState"]["lambdaCode"]["status"] == "DISABLED"
    assert [failed["errorCode"] for failed in answer["failedAccounts"]] == ["RESOURCE_NOT_FOUND"]


def test_grpc_tells_of_itself_and_explains_a_finding(standing):
    questions = Questions(standing.address)
    assert questions.ask("grpc.health.v1.Health", "Check").status == 1  # SERVING
    service = "muster.v1.FindingService"
    first = questions.ask(service, "ListFindings", page_size=3)
    second = questions.ask(service, "ListFindings", page_size=3, page_token=first.next_page_token)
    assert not {f.id for f in first.findings} & {f.id for f in second.findings}
    finding = first.findings[0]
    assert questions.ask(service, "GetFinding", id=finding.arn).finding.title == finding.title
    explained = questions.ask(service, "ExplainFinding", id=finding.id)
    assert explained.resource.id == finding.resource_id
    assert explained.verdicts and all(verdict.explanation.reason for verdict in explained.verdicts)
    assert explained.score_reasons
    for wrong, code in [("not a finding", "INVALID_ARGUMENT"), ("0" * 32, "NOT_FOUND")]:
        with pytest.raises(grpc.RpcError) as error:
            questions.ask(service, "GetFinding", id=wrong)
        assert error.value.code().name == code


def test_every_service_answers_its_own_questions(standing, fleet):
    questions = Questions(standing.address)
    web = fleet.instances["web"]
    assert questions.ask("muster.v1.DiscoveryService", "GetResource", id=web).resource.id == web
    assert questions.ask("muster.v1.InventoryService", "GetInventory", resource_id=web).packages
    assert questions.ask("muster.v1.AdvisoryService", "GetEpoch").epoch >= 1
    assert questions.ask("muster.v1.AdvisoryService", "ListFeeds").feeds[0].records > 0
    assert questions.ask("muster.v1.MatchingService", "GetMatch", resource_id=web).verdicts
    assert questions.ask("muster.v1.ScoringService", "CountFindings").active["HIGH"] > 0
    assert {sink.name for sink in questions.ask("muster.v1.PublishingService", "ListSinks").sinks} == {
        "securityhub",
        "eventbridge",
    }
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"type": "library", "name": "lodash", "version": "4.17.4", "purl": "pkg:npm/lodash@4.17.4"}],
    }
    judged = questions.ask("muster.v1.MatchingService", "MatchSbom", cyclonedx=json.dumps(bom).encode())
    assert "CVE-2019-10744" in {verdict.vulnerability for verdict in judged.verdicts}


def test_the_page_loads_nothing_from_elsewhere(standing):
    with urllib.request.urlopen(standing.address, timeout=10) as answer:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        page = answer.read()
    assert b"<html" in page and b"http://" not in page and b"https://" not in page


@pytest.fixture(scope="module")
def locked(demo, tmp_path_factory) -> Iterator[System]:
    """A gateway that wants keys."""
    keys = {"MUSTER_ACCESS_KEY_ID": KEY_ID, "MUSTER_SECRET_ACCESS_KEY": SECRET}
    system = Embedded(demo, tmp_path_factory.mktemp("locked"), **keys)
    with stopping([system]):
        system.start()
        yield system


def test_with_keys_only_who_signs_with_them_gets_in(locked):
    inspector(locked.address, KEY_ID, SECRET).list_findings()
    for key_id, secret in [(KEY_ID, "wrong"), ("AKIWRONG", SECRET), (None, "")]:
        with pytest.raises(ClientError) as error:
            inspector(locked.address, key_id, secret).list_findings()
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    arguments = ("list-findings", "--sort-criteria", "field=SEVERITY,sortOrder=DESC")
    done = aws(locked.address, *arguments, key_id=KEY_ID, secret=SECRET)
    assert done.returncode == 0, done.stderr
    done = aws(locked.address, *arguments, key_id=KEY_ID, secret="wrong")
    assert done.returncode != 0 and "AccessDeniedException" in done.stderr


def test_with_keys_grpc_needs_the_bearer_token(locked):
    service = "muster.v1.FindingService"
    assert Questions(locked.address, SECRET).ask(service, "ListFindings").findings is not None
    assert locked.status()["resources"] >= 0  # the command line brings the key along
    known = Questions(locked.address, SECRET)
    for token in ("wrong", "", KEY_ID, SECRET + "x"):
        stranger = Questions(locked.address, token)
        stranger.pool = known.pool  # reflection is for those only who may ask
        for asked, method in [(service, "ListFindings"), ("grpc.health.v1.Health", "Check")]:
            with pytest.raises(grpc.RpcError) as error:
                stranger.ask(asked, method)
            assert error.value.code().name == "UNAUTHENTICATED"
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            Questions(locked.address, token).ask(service, "ListFindings")
    refused = subprocess.run(
        [binary(), "status", "--gateway", locked.address], env=clean_environment(), capture_output=True, text=True
    )
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1 and "not signed" in refused.stderr


def test_with_keys_a_browser_is_asked_for_them(locked):
    def get(path: str, pair: str | None = None):
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"} if pair else {}
        return urllib.request.urlopen(urllib.request.Request(f"{locked.address}{path}", headers=headers), timeout=10)

    for path in ("/", "/metrics", "/no/such/page"):
        with pytest.raises(urllib.error.HTTPError) as error:
            get(path)
        assert error.value.code == 401
        assert error.value.headers["www-authenticate"].startswith("Basic")
    with pytest.raises(urllib.error.HTTPError):
        get("/", f"{KEY_ID}:wrong")
    assert b"<html" in get("/", f"{KEY_ID}:{SECRET}").read()
    assert b"muster_" in get("/metrics", f"{KEY_ID}:{SECRET}").read()
    assert get("/healthz").status == 200  # whoever watches over the process has no keys


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_without_keys_nobody_listens_beyond_loopback(tmp_path, address):
    command = [binary(), "up", "--listen", address, "--data-folder", str(tmp_path)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    for name in ("MUSTER_ACCESS_KEY_ID", "MUSTER_SECRET_ACCESS_KEY", address.rsplit(":", 1)[0]):
        assert name in done.stderr


def test_half_a_pair_of_keys_is_refused(tmp_path):
    for half in ("MUSTER_ACCESS_KEY_ID", "MUSTER_SECRET_ACCESS_KEY"):
        environment = clean_environment() | {half: SECRET, "MUSTER_DATA_FOLDER": str(tmp_path)}
        command = [binary(), "up", "--services", "gateway", "--listen", "127.0.0.1:0"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 64 and SECRET not in done.stderr


def test_with_keys_it_listens_beyond_loopback(tmp_path):
    keys = {"MUSTER_ACCESS_KEY_ID": KEY_ID, "MUSTER_SECRET_ACCESS_KEY": SECRET, "MUSTER_DATA_FOLDER": str(tmp_path)}
    command = [binary(), "up", "--services", "gateway", "--listen", "0.0.0.0:0"]
    process = Process("open", command, tmp_path, clean_environment() | keys)
    try:
        port = process.wait_for(re.compile(r"muster listens on http://0\.0\.0\.0:(\d+)"))
        assert inspector(f"http://127.0.0.1:{port}", KEY_ID, SECRET).list_findings()["findings"] == []
    finally:
        assert process.stop() == 0


def test_what_nobody_serves_is_refused_in_the_clients_own_way(standing):
    questions = Questions(standing.address)
    for path in ("/muster.v1.FindingService/NoSuchMethod", "/no.such.Service/Method"):
        with pytest.raises(grpc.RpcError) as error:
            questions.channel.unary_unary(path)(b"", timeout=10)
        assert error.value.code().name == "UNIMPLEMENTED"
    with pytest.raises(grpc.RpcError) as error:
        questions.channel.unary_unary("/muster.v1.FindingService/GetFinding")(b"\xff\xff", timeout=10)
    assert error.value.code().name in ("INTERNAL", "INVALID_ARGUMENT")
    with pytest.raises(grpc.RpcError) as error:
        questions.ask("muster.v1.FindingService", "ListFindings", page_token="of another question")
    assert error.value.code().name == "INVALID_ARGUMENT" and "page_token" in error.value.details()


@pytest.mark.parametrize("service", [service for service in SERVICES if service not in ("gateway",)])
def test_one_service_alone_answers_for_itself(demo, tmp_path, service):
    """As a process of the distributed form does: health, reflection, metrics and its own questions."""
    name = {"advisories": "muster.v1.AdvisoryService"}.get(service, f"muster.v1.{service.capitalize()}Service")
    questions = {
        "advisories": ("GetEpoch", {}),
        "discovery": ("ListAccountStatuses", {}),
        "inventory": ("ListCoverage", {}),
        "matching": ("GetMatch", {"resource_id": "i-0"}),
        "publishing": ("ListSinks", {}),
        "scoring": ("CountFindings", {}),
    }
    environment = clean_environment() | demo.environment() | {"MUSTER_DATA_FOLDER": str(tmp_path)}
    environment |= {"MUSTER_FEEDS": str(tmp_path)}  # nothing in it: this is about the door
    process = Process(
        service, [binary(), "up", "--services", service, "--listen", "127.0.0.1:0"], tmp_path, environment
    )
    try:
        address = process.wait_for(ADDRESS)
        client = Questions(address)
        assert client.ask("grpc.health.v1.Health", "Check").status == 1  # SERVING
        method, fields = questions[service]
        try:
            client.ask(name, method, **fields)
        except grpc.RpcError as error:
            assert error.code().name == "NOT_FOUND", error  # it has seen nothing yet
        with pytest.raises(grpc.RpcError) as error:
            client.ask("muster.v1.FindingService", "ListFindings")
        assert error.value.code().name == "UNIMPLEMENTED"
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
            assert answer.status == 200
    finally:
        assert process.stop() == 0
