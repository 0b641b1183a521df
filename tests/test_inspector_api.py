"""The Inspector-compatible API: every filter, every order, and each answer by AWS' own model."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from harness.api_model import faults
from harness.clients import aws, inspector

Values = Callable[[dict], list]


def raw(address: str, path: str, body: object = None, method: str = "POST", **headers: str) -> tuple[int, dict, dict]:
    """Status, headers and JSON of a request without any client's help."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data if method == "POST" else None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.load(error)


@pytest.fixture(scope="module")
def findings(standing) -> list[dict]:
    """All of them, as the bytes on the wire say."""
    return list(pages(standing.address, {}))


def pages(address: str, question: dict) -> Iterator[dict]:
    token = None
    while True:
        status, _, answer = raw(address, "/findings/list", question | ({"nextToken": token} if token else {}))
        assert status == 200, answer
        yield from answer["findings"]
        token = answer.get("nextToken")
        if not token:
            return


def at(*path: str) -> Values:
    """The values at a path of the finding; lists are entered."""

    def values(finding: dict) -> list:
        found = [finding]
        for name in path:
            found = [one[name] for one in found if isinstance(one, dict) and name in one]
            found = [one for value in found for one in (value if isinstance(value, list) else [value])]
        return found

    return values


DETAILS = ("resources", "details")
STRINGS: dict[str, Values] = {
    "findingArn": at("findingArn"),
    "awsAccountId": at("awsAccountId"),
    "findingType": at("type"),
    "severity": at("severity"),
    "findingStatus": at("status"),
    "title": at("title"),
    "resourceType": at("resources", "type"),
    "resourceId": at("resources", "id"),
    "vulnerabilityId": at("packageVulnerabilityDetails", "vulnerabilityId"),
    "fixAvailable": at("fixAvailable"),
    "exploitAvailable": at("exploitAvailable"),
    "networkProtocol": at("networkReachabilityDetails", "protocol"),
    "componentId": at("networkReachabilityDetails", "networkPath", "steps", "componentId"),
    "ecrImageRepositoryName": at(*DETAILS, "awsEcrContainerImage", "repositoryName"),
    "ecrImageRegistry": at(*DETAILS, "awsEcrContainerImage", "registry"),
    "ecrImageTags": at(*DETAILS, "awsEcrContainerImage", "imageTags"),
    "ecrImageHash": at(*DETAILS, "awsEcrContainerImage", "imageHash"),
    "ecrImageArchitecture": at(*DETAILS, "awsEcrContainerImage", "architecture"),
    "ec2InstanceImageId": at(*DETAILS, "awsEc2Instance", "imageId"),
    "ec2InstanceVpcId": at(*DETAILS, "awsEc2Instance", "vpcId"),
    "ec2InstanceSubnetId": at(*DETAILS, "awsEc2Instance", "subnetId"),
    "lambdaFunctionName": at(*DETAILS, "awsLambdaFunction", "functionName"),
    "lambdaFunctionRuntime": at(*DETAILS, "awsLambdaFunction", "runtime"),
    "lambdaFunctionLayers": at(*DETAILS, "awsLambdaFunction", "layers"),
    "lambdaFunctionExecutionRoleArn": at(*DETAILS, "awsLambdaFunction", "executionRoleArn"),
}
NUMBERS: dict[str, Values] = {"inspectorScore": at("inspectorScore"), "epssScore": at("epss", "score")}
DATES: dict[str, Values] = {name: at(name) for name in ("firstObservedAt", "lastObservedAt", "updatedAt")}
SORTS: dict[str, Values] = {
    "AWS_ACCOUNT_ID": at("awsAccountId"),
    "FINDING_TYPE": at("type"),
    "FIRST_OBSERVED_AT": at("firstObservedAt"),
    "LAST_OBSERVED_AT": at("lastObservedAt"),
    "FINDING_STATUS": at("status"),
    "RESOURCE_TYPE": at("resources", "type"),
    "INSPECTOR_SCORE": at("inspectorScore"),
    "EPSS_SCORE": at("epss", "score"),
    "VULNERABILITY_ID": at("packageVulnerabilityDetails", "vulnerabilityId"),
}


def arns(findings) -> set[str]:
    return {finding["findingArn"] for finding in findings}


def check(address: str, findings: list[dict], criteria: dict, holds: Callable[[dict], bool]) -> None:
    """The filter lets through what it says, and all of it."""
    expected = arns(filter(holds, findings))
    assert arns(pages(address, {"filterCriteria": criteria, "maxResults": 100})) == expected, criteria


@pytest.mark.parametrize("name", STRINGS)
def test_a_string_filter_equals_begins_with_or_excludes(standing, findings, name):
    values = STRINGS[name]
    known = sorted({value for finding in findings for value in values(finding)})
    assert known, "the fleet has none"
    for value in (known[0], known[-1]):
        one = lambda comparison: {name: [{"comparison": comparison, "value": value}]}  # noqa: B023, E731
        check(standing.address, findings, one("EQUALS"), lambda f: value in values(f))  # noqa: B023
        check(standing.address, findings, one("NOT_EQUALS"), lambda f: value not in values(f))  # noqa: B023
    begin = known[-1][:-1]
    prefix = {name: [{"comparison": "PREFIX", "value": begin}]}
    check(standing.address, findings, prefix, lambda f: any(value.startswith(begin) for value in values(f)))
    both = {name: [{"comparison": "EQUALS", "value": value} for value in (known[0], known[-1])]}
    check(standing.address, findings, both, lambda f: bool({known[0], known[-1]} & set(values(f))))
    wild = {name: [{"comparison": "PREFIX", "value": "%"}]}
    check(standing.address, findings, wild, lambda f: False)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_filter_includes_its_bounds(standing, findings, name):
    known = sorted({value for finding in findings for value in NUMBERS[name](finding)})
    low, high = known[len(known) // 4], known[-2]
    for bounds in ({"lowerInclusive": low}, {"upperInclusive": high}, {"lowerInclusive": low, "upperInclusive": high}):
        within = lambda value: bounds.get("lowerInclusive", 0) <= value <= bounds.get("upperInclusive", 10)  # noqa: E731, B023
        check(standing.address, findings, {name: [bounds]}, lambda f: any(map(within, NUMBERS[name](f))))  # noqa: B023


@pytest.mark.parametrize("name", DATES)
def test_a_date_filter_is_in_seconds(standing, findings, name):
    known = sorted({value for finding in findings for value in DATES[name](finding)})
    middle = known[len(known) // 2]
    begin, end = {"startInclusive": middle}, {"endInclusive": middle}
    # Answers are rounded to milliseconds.
    for bounds, holds in [(begin, lambda t: t >= middle), (end, lambda t: t <= middle)]:
        found = arns(pages(standing.address, {"filterCriteria": {name: [bounds]}}))
        clear = [f for f in findings if abs(DATES[name](f)[0] - middle) > 0.001]
        assert found & arns(clear) == arns(f for f in clear if holds(DATES[name](f)[0]))
    check(standing.address, findings, {name: [{"startInclusive": time.time() + 3600}]}, lambda f: False)


def test_the_other_filters(standing, findings):
    check_all = lambda criteria, holds: check(standing.address, findings, criteria, holds)  # noqa: E731
    ports = at("networkReachabilityDetails", "openPortRange")
    for begin, end in [(22, 22), (0, 65535), (1, 21), (23, None), (None, 21)]:
        bounds = {"beginInclusive": begin, "endInclusive": end}
        bounds = {name: value for name, value in bounds.items() if value is not None}
        holds = lambda one: one["begin"] <= (65535 if end is None else end) and one["end"] >= (begin or 0)  # noqa: E731, B023
        check_all({"portRange": [bounds]}, lambda f: any(map(holds, ports(f))))  # noqa: B023
    tags = at("resources", "tags")
    key, value = next((key, value) for f in findings for tag in tags(f) for key, value in tag.items())
    check_all(
        {"resourceTags": [{"comparison": "EQUALS", "key": key, "value": value}]},
        lambda f: {key: value} in [{key: tag.get(key)} for tag in tags(f)],
    )
    check_all({"resourceTags": [{"comparison": "EQUALS", "key": "no such key"}]}, lambda f: False)
    regions = at("resources", "region")
    here = [{"comparison": "EQUALS", "value": "eu-central-1"}]
    check_all({"cloudProviderRegion": here}, lambda f: "eu-central-1" in regions(f))


def test_a_package_filter_is_of_one_package(standing, findings):
    packages = at("packageVulnerabilityDetails", "vulnerablePackages")
    equals = lambda value: {"comparison": "EQUALS", "value": value}  # noqa: E731

    def check_pairs(*pairs: tuple[str | None, str | None]) -> None:
        criteria = [
            {field: equals(value) for field, value in (("name", name), ("version", version)) if value}
            for name, version in pairs
        ]
        holds = lambda package: any(  # noqa: E731
            package["name"] == (name or package["name"]) and package["version"] == (version or package["version"])
            for name, version in pairs
        )
        check(standing.address, findings, {"vulnerablePackages": criteria}, lambda f: any(map(holds, packages(f))))

    check_pairs(("lodash", None))
    check_pairs((None, "4.17.4"))
    check_pairs(("lodash", "4.17.4"))
    check_pairs(("lodash", "2.19.1"))
    check_pairs(("lodash", "4.17.4"), ("requests", "2.19.1"))
    check_pairs(("lodash", "2.19.1"), ("requests", "4.17.4"))
    # The packages of one finding at two versions: each combination that is not there finds nothing.
    for finding in findings:
        several = {(package["name"], package["version"]) for package in packages(finding)}
        for name, version in {(a, d) for a, _ in several for _, d in several} - several:
            check_pairs((name, version))


def test_all_filters_must_hold(standing, findings):
    criteria = {
        "severity": [{"comparison": "EQUALS", "value": "HIGH"}, {"comparison": "EQUALS", "value": "CRITICAL"}],
        "resourceType": [{"comparison": "EQUALS", "value": "AWS_LAMBDA_FUNCTION"}],
        "title": [{"comparison": "NOT_EQUALS", "value": "x"}],
    }
    holds = lambda f: f["severity"] in ("HIGH", "CRITICAL") and STRINGS["resourceType"](f) == ["AWS_LAMBDA_FUNCTION"]  # noqa: E731
    check(standing.address, findings, criteria, holds)


@pytest.mark.parametrize("field", SORTS)
def test_an_order_holds_over_all_pages(standing, findings, field):
    for order in ("ASC", "DESC"):
        question = {"sortCriteria": {"field": field, "sortOrder": order}, "maxResults": 9}
        found = list(pages(standing.address, question))
        assert len(found) == len(findings) and arns(found) == arns(findings)
        known = [values[0] for finding in found if (values := SORTS[field](finding))]
        assert known == sorted(known, reverse=order == "DESC")


def test_answers_are_what_awss_own_model_says(standing, findings):
    model = inspector(standing.address).meta.service_model
    shape = model.operation_model("ListFindings").output_shape
    assert {finding["type"] for finding in findings} == {"PACKAGE_VULNERABILITY", "NETWORK_REACHABILITY"}
    for question in ({}, {"maxResults": 1}, {"filterCriteria": {"title": [{"comparison": "EQUALS", "value": "none"}]}}):
        assert list(faults(shape, raw(standing.address, "/findings/list", question)[2])) == []
    one = shape.members["findings"].member  # a page is longer when `maxResults` asks for it
    assert [fault for finding in findings for fault in faults(one, finding)] == []
    shape = model.operation_model("BatchGetAccountStatus").output_shape
    for question in ({}, {"accountIds": ["999999999999"]}):
        assert list(faults(shape, raw(standing.address, "/status/batch/get", question)[2])) == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/findings/list", b"{", "EOF"),
        ("/findings/list", b"[]", ""),
        ("/findings/list", b"\xff", ""),
        ("/findings/list", {"maxResults": 0}, "maxResults"),
        ("/findings/list", {"maxResults": 101}, "maxResults"),
        ("/findings/list", {"maxResults": "many"}, "many"),
        ("/findings/list", {"sortCriteria": {"field": "SEVERITY", "sortOrder": "UP"}}, "sortCriteria.sortOrder"),
        ("/findings/list", {"filterCriteria": {"severity": []}}, "severity"),
        ("/findings/list", {"filterCriteria": {"severity": [{"comparison": "EQUALS", "value": "x"}] * 11}}, "severity"),
        ("/findings/list", {"filterCriteria": {"noSuchField": []}}, "noSuchField"),
        ("/findings/list", {"filterCriteria": {"codeVulnerabilityFilePath": []}}, "codeVulnerabilityFilePath"),
        ("/findings/list", {"filterCriteria": {"vulnerablePackages": [{"epoch": {}}]}}, "epoch"),
        ("/findings/list", {"nextToken": "AAAA"}, "nextToken"),
        ("/findings/list", {"nextToken": "\u0000" * 5000}, "nextToken"),
        ("/status/batch/get", {"accountIds": ["1"] * 101}, "accountIds"),
        ("/no/such/operation", {}, "/no/such/operation"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_wrong_question_is_refused_as_aws_would(standing, path, body, words):
    status, headers, answer = raw(standing.address, path, body)
    headers = {name.lower(): value for name, value in headers.items()}
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert words in answer["message"]
    assert list(faults(inspector(standing.address).meta.service_model.shape_for("ValidationException"), answer)) == []


def test_a_wrong_method_is_refused_in_the_same_way(standing):
    status, headers, answer = raw(standing.address, "/findings/list", method="GET")
    assert status == 400 and "GET /findings/list" in answer["message"]


def test_a_foreign_page_cannot_ask_through_a_browser(standing):
    """A name that its owner lets lead here ("DNS rebinding") is no name of ours."""
    status, headers, _ = raw(standing.address, "/findings/list", {}, Host="evil.example:7080")
    assert status == 403
    assert raw(standing.address, "/findings/list", {}, Host="localhost:7080")[0] == 200


def test_the_aws_command_line_filters_sorts_and_pages(standing, findings):
    criteria = json.dumps({"severity": [{"comparison": "EQUALS", "value": "CRITICAL"}]})
    done = aws(
        standing.address,
        "list-findings",
        "--filter-criteria",
        criteria,
        "--sort-criteria",
        "field=INSPECTOR_SCORE,sortOrder=ASC",
        "--page-size",
        "2",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["findings"]
    assert arns(found) == arns(f for f in findings if f["severity"] == "CRITICAL") and found
    scores = [finding["inspectorScore"] for finding in found]
    assert scores == sorted(scores)
    done = aws(
        standing.address,
        "list-findings",
        "--filter-criteria",
        '{"codeVulnerabilityFilePath": [{"comparison": "EQUALS", "value": "x"}]}',
    )
    assert done.returncode != 0 and "ValidationException" in done.stderr and "codeVulnerabilityFilePath" in done.stderr
    done = aws(standing.address, "batch-get-account-status")
    assert done.returncode == 0 and len(json.loads(done.stdout)["accounts"]) == 2
