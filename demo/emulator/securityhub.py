"""Security Hub: findings are checked as AWS checks them, filtered as asked, updated, and refused on demand.

The fault switch `securityhub_refuse` lists beginnings of finding ids that BatchImportFindings fails, one by one.
"""

import json

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.securityhub import urls
from moto.securityhub.models import Finding
from moto.securityhub.responses import SecurityHubResponse

from demo.emulator import Options
from demo.emulator.faults import FAULTS
from demo.emulator.paging import BadToken, page, size

#: Findings of one call (Security Hub API, BatchImportFindings, BatchUpdateFindings and GetFindings).
BATCH_MAX = 100
#: Bytes of one finding (BatchImportFindings: "maximum allowed size for a finding is 240 Kb").
FINDING_BYTES_MAX = 240 * 1024
#: Top-level attributes that BatchImportFindings needs (AWS Security Finding Format, "Required top-level attributes").
REQUIRED = (
    "AwsAccountId CreatedAt Description GeneratorId Id ProductArn Resources SchemaVersion Title UpdatedAt".split()
)
#: Longest text of an attribute (AWS Security Finding Format syntax).
LENGTHS_MAX = {"Title": 256, "Description": 1024, "Id": 512, "GeneratorId": 512}
#: Belongs to the customer: an import of a finding that is there already leaves it (BatchImportFindings).
CUSTOMERS = (
    "Confidence",
    "Criticality",
    "Note",
    "RelatedFindings",
    "UserDefinedFields",
    "VerificationState",
    "Workflow",
)

#: Filter -> where its value stands in a finding (GetFindings, AwsSecurityFindingFilters).
FILTERS = {
    "AwsAccountId": lambda finding: [finding["AwsAccountId"]],
    "GeneratorId": lambda finding: [finding["GeneratorId"]],
    "Id": lambda finding: [finding["Id"]],
    "ProductArn": lambda finding: [finding["ProductArn"]],
    "RecordState": lambda finding: [finding.get("RecordState", "ACTIVE")],
    "Region": lambda finding: [finding.get("Region", "")],
    "ResourceId": lambda finding: [resource["Id"] for resource in finding["Resources"]],
    "ResourceType": lambda finding: [resource["Type"] for resource in finding["Resources"]],
    "SeverityLabel": lambda finding: [finding.get("Severity", {}).get("Label", "")],
    "Title": lambda finding: [finding["Title"]],
    "Type": lambda finding: finding.get("Types", []),
    "VulnerabilitiesId": lambda finding: [v["Id"] for v in finding.get("Vulnerabilities", [])],
    "WorkflowStatus": lambda finding: [finding.get("Workflow", {}).get("Status", "NEW")],
}
#: Comparison -> (its test, whether one fitting condition is enough; else all must fit).
COMPARISONS = {
    "EQUALS": (lambda value, wanted: value == wanted, True),
    "PREFIX": (lambda value, wanted: value.startswith(wanted), True),
    "CONTAINS": (lambda value, wanted: wanted in value, True),
    "NOT_EQUALS": (lambda value, wanted: value != wanted, False),
    "PREFIX_NOT_EQUALS": (lambda value, wanted: not value.startswith(wanted), False),
    "NOT_CONTAINS": (lambda value, wanted: wanted not in value, False),
}


class SecurityHubError(ServiceException):
    """A Security Hub error in AWS' form."""


def install(_options: Options) -> None:
    SecurityHubResponse.get_findings = get_findings
    SecurityHubResponse.batch_import_findings = batch_import_findings
    SecurityHubResponse.batch_update_findings = batch_update_findings
    urls.url_paths["{0}/findings/batchupdate$"] = SecurityHubResponse.dispatch


def hub_of(self):
    """The hub of the account and region; an error unless it is enabled."""
    hub = self.securityhub_backend
    if not hub.enabled:
        raise SecurityHubError(
            "InvalidAccessException", f"Account {self.current_account} is not subscribed to AWS Security Hub"
        )
    return hub


def get_findings(self) -> ActionResult:
    hub, body = hub_of(self), json.loads(self.body or "{}")
    findings = [finding.data for finding in hub.findings if matches(finding.data, body.get("Filters") or {})]
    most = int(body.get("MaxResults") or BATCH_MAX)
    if not 1 <= most <= BATCH_MAX:
        raise SecurityHubError("InvalidInputException", f"MaxResults must be a number between 1 and {BATCH_MAX}")
    try:
        findings, token = page(findings, body.get("NextToken"), size(most, BATCH_MAX, BATCH_MAX))
    except BadToken as bad:
        raise SecurityHubError("InvalidInputException", "Invalid NextToken") from bad
    return ActionResult({"Findings": findings} | ({"NextToken": token} if token else {}))


def matches(finding: dict, filters: dict) -> bool:
    """All filters must fit. A filter that is not known here is an error, never passed over."""
    for name, conditions in filters.items():
        if name not in FILTERS:
            raise SecurityHubError("InvalidInputException", f"The filter {name} is not known here")
        values = FILTERS[name](finding)
        wanted, unwanted = [], []
        for condition in conditions:
            test, one_is_enough = COMPARISONS[condition["Comparison"]]
            fits = any(test(v, condition["Value"]) for v in values)
            if not one_is_enough:
                fits = all(test(v, condition["Value"]) for v in values)
            (wanted if one_is_enough else unwanted).append(fits)
        if (wanted and not any(wanted)) or not all(unwanted):
            return False
    return True


def batch_import_findings(self) -> ActionResult:
    hub, findings = hub_of(self), json.loads(self.body)["Findings"]
    if not 1 <= len(findings) <= BATCH_MAX:
        raise SecurityHubError("InvalidInputException", f"Invalid parameter: Findings must be 1 to {BATCH_MAX}")
    failed = []
    for finding in findings:
        fault = fault_of(finding, self.current_account, self.region)
        if fault:
            failed.append({"Id": finding.get("Id", ""), "ErrorCode": "InvalidInput", "ErrorMessage": fault})
        elif any(finding["Id"].startswith(refused) for refused in FAULTS.securityhub_refuse):
            message = "The finding was refused by a fault switch."
            failed.append({"Id": finding["Id"], "ErrorCode": "InternalFailure", "ErrorMessage": message})
        else:
            store(hub, finding)
    answer = {"FailedCount": len(failed), "SuccessCount": len(findings) - len(failed), "FailedFindings": failed}
    return ActionResult(answer)


def fault_of(finding: dict, account: str, region: str) -> str | None:
    """What AWS would refuse the finding for."""
    missing = [name for name in REQUIRED if not finding.get(name)]
    if missing:
        return f"Finding does not adhere to Amazon Finding Format. Missing: {', '.join(missing)}"
    if "Severity" not in finding and "FindingProviderFields" not in finding:
        return "Finding does not adhere to Amazon Finding Format. Missing: Severity"
    for name, most in LENGTHS_MAX.items():
        if len(finding[name]) > most:
            return f"Finding does not adhere to Amazon Finding Format. {name} is longer than {most}"
    if finding["AwsAccountId"] != account:
        return f"AwsAccountId {finding['AwsAccountId']} does not match the caller's account {account}"
    product = f"arn:aws:securityhub:{region}:{account}:product/{account}/"
    if not finding["ProductArn"].startswith(product):
        return f"ProductArn {finding['ProductArn']} is not one of the caller's own, {product}…"
    if not 1 <= len(finding["Resources"]) <= 32:
        return "Resources must be 1 to 32"
    if len(json.dumps(finding)) > FINDING_BYTES_MAX:
        return f"Finding is larger than {FINDING_BYTES_MAX} bytes"
    return None


def store(hub, finding: dict) -> None:
    """A finding with the same id and product is replaced, except what belongs to the customer."""
    finding.setdefault("RecordState", "ACTIVE")
    finding.setdefault("Workflow", {"Status": "NEW"})
    for index, known in enumerate(hub.findings):
        if known.data["Id"] == finding["Id"] and known.data["ProductArn"] == finding["ProductArn"]:
            kept = {name: known.data[name] for name in CUSTOMERS if name in known.data}
            hub.findings[index] = Finding(finding["Id"], finding | kept)
            return
    hub.findings.append(Finding(finding["Id"], finding))


def batch_update_findings(self) -> ActionResult:
    hub, body = hub_of(self), json.loads(self.body)
    identifiers = body["FindingIdentifiers"]
    if not 1 <= len(identifiers) <= BATCH_MAX:
        raise SecurityHubError("InvalidInputException", f"FindingIdentifiers must be 1 to {BATCH_MAX}")
    changes = {name: value for name, value in body.items() if name in CUSTOMERS or name in ("Severity", "Types")}
    processed, unprocessed = [], []
    for identifier in identifiers:
        for known in hub.findings:
            if known.data["Id"] == identifier["Id"] and known.data["ProductArn"] == identifier["ProductArn"]:
                known.data.update(changes)
                processed.append(identifier)
                break
        else:
            message = "The finding was not found."
            unprocessed.append(
                {"FindingIdentifier": identifier, "ErrorCode": "FindingNotFound", "ErrorMessage": message}
            )
    return ActionResult({"ProcessedFindings": processed, "UnprocessedFindings": unprocessed})
