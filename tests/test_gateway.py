"""The door: Inspector's own clients, gRPC with reflection, and who may enter."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import grpc
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import stopping
from demo.emulator import MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT
from demo.fleet import REGION
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from harness.processes import clean_environment
from harness.system import Embedded, System, binary

KEY_ID, SECRET = "AKIDOOR", "the-secret-of-the-door"


def inspector(address: str, key_id: str = "any", secret: str = "any"):
    """boto3's own client, which checks shapes as it does for AWS."""
    return boto3.client(
        "inspector2",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


class Questions:
    """A gRPC client made of nothing but what the server's reflection tells."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.channel = grpc.insecure_channel(address.removeprefix("http://"))
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        intercepted = grpc.intercept_channel(self.channel, _Token(self.metadata))
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(intercepted))

    def ask(self, service: str, method: str, **fields: object):
        described = self.pool.FindServiceByName(service).methods_by_name[method]
        request, answer = GetMessageClass(described.input_type), GetMessageClass(described.output_type)
        call = self.channel.unary_unary(
            f"/{service}/{method}", request_serializer=request.SerializeToString, response_deserializer=answer.FromString
        )
        return call(request(**fields), timeout=20, metadata=self.metadata)


class _Token(grpc.StreamStreamClientInterceptor):
    """Brings the token to the reflection stream too."""

    def __init__(self, metadata: list[tuple[str, str]]) -> None:
        self.metadata = metadata

    def intercept_stream_stream(self, continuation, details, requests):
        return continuation(details._replace(metadata=self.metadata), requests)


#: Filters by what the check below tells only in part.
TOLD_IN_PART = {"portRange", "ecrImageTags", "vulnerablePackages"}


def equals(value: str) -> list[dict]:
    return [{"comparison": "EQUALS", "value": value}]


def test_boto3_pages_through_all_findings_in_order(standing):
    pages = inspector(standing.address).get_paginator("list_findings").paginate(
        sortCriteria={"field": "INSPECTOR_SCORE", "sortOrder": "DESC"}, PaginationConfig={"PageSize": 7}
    )
    found = [finding for page in pages for finding in page["findings"]]
    assert {finding["findingArn"] for finding in found} == {finding["arn"] for finding in standing.findings()}
    assert len(found) == len({finding["findingArn"] for finding in found})
    scores = [finding.get("inspectorScore", -1) for finding in found]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("criteria", "holds"),
    [
        ({"severity": equals("HIGH")}, lambda f: f["severity"] == "HIGH"),
        ({"awsAccountId": equals(MEMBER_ACCOUNT)}, lambda f: f["awsAccountId"] == MEMBER_ACCOUNT),
        ({"findingType": equals("NETWORK_REACHABILITY")}, lambda f: f["type"] == "NETWORK_REACHABILITY"),
        ({"resourceType": equals("AWS_LAMBDA_FUNCTION")}, lambda f: f["resources"][0]["type"] == "AWS_LAMBDA_FUNCTION"),
        ({"title": [{"comparison": "PREFIX", "value": "CVE-2019-"}]}, lambda f: f["title"].startswith("CVE-2019-")),
        ({"findingStatus": [{"comparison": "NOT_EQUALS", "value": "CLOSED"}]}, lambda f: f["status"] == "ACTIVE"),
        ({"inspectorScore": [{"lowerInclusive": 9.0}]}, lambda f: f.get("inspectorScore", 0) >= 9.0),
        ({"exploitAvailable": equals("YES")}, lambda f: f.get("exploitAvailable") == "YES"),
        ({"fixAvailable": equals("NO")}, lambda f: f.get("fixAvailable") == "NO"),
        ({"portRange": [{"beginInclusive": 22, "endInclusive": 22}]}, lambda f: "networkReachabilityDetails" in f),
        ({"ecrImageTags": equals("1.0")}, lambda f: f["resources"][0]["type"] == "AWS_ECR_CONTAINER_IMAGE"),
        ({"lambdaFunctionName": equals("thumbnails")}, lambda f: ":function:thumbnails:" in f["resources"][0]["id"]),
        ({"vulnerablePackages": [{"name": {"comparison": "EQUALS", "value": "lodash"}}]}, lambda f: "lodash" in f["title"]),
        (
            {"severity": equals("CRITICAL"), "vulnerabilityId": equals("CVE-2019-10744")},
            lambda f: f["severity"] == "CRITICAL" and "CVE-2019-10744" in f["title"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_filter_lets_through_what_it_says_and_all_of_it(standing, criteria, holds):
    client = inspector(standing.address)
    page = lambda **more: [  # noqa: E731
        finding for page in client.get_paginator("list_findings").paginate(**more) for finding in page["findings"]
    ]
    found = page(filterCriteria=criteria)
    assert found and all(map(holds, found))
    if not criteria.keys() & TOLD_IN_PART:
        assert {f["findingArn"] for f in found} == {f["findingArn"] for f in page() if holds(f)}


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
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert b"http://" not in answer.read()


@pytest.fixture(scope="module")
def locked(demo, tmp_path_factory) -> Iterator[System]:
    """A gateway that wants keys."""
    keys = {"MUSTER_ACCESS_KEY_ID": KEY_ID, "MUSTER_SECRET_ACCESS_KEY": SECRET}
    system = Embedded(demo, tmp_path_factory.mktemp("locked"), **keys)
    with stopping([system]):
        system.start()
        yield system


def test_with_keys_only_who_has_them_gets_in(locked):
    inspector(locked.address, KEY_ID, SECRET).list_findings()
    for key_id, secret in [(KEY_ID, "wrong"), ("AKIWRONG", SECRET)]:
        with pytest.raises(ClientError) as error:
            inspector(locked.address, key_id, secret).list_findings()
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"

    assert Questions(locked.address, SECRET).ask("muster.v1.FindingService", "ListFindings").findings is not None
    with pytest.raises(grpc.RpcError):
        Questions(locked.address, "wrong").ask("muster.v1.FindingService", "ListFindings")
    assert locked.status()["resources"] >= 0  # the command line brings the key along

    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(locked.address, timeout=10)
    assert error.value.code == 401
    with urllib.request.urlopen(f"{locked.address}/healthz", timeout=10) as answer:
        assert answer.status == 200


def test_without_keys_nobody_listens_beyond_loopback(tmp_path):
    command = [binary(), "up", "--listen", "0.0.0.0:0", "--data-folder", str(tmp_path)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "MUSTER_ACCESS_KEY_ID" in done.stderr.splitlines()[-1]
