"""SSM's inventory: which instances are managed, and what the agent said is installed on each.

In AWS an instance becomes managed when its agent calls in; here `POST /muster/ssm/instances` with the account,
the region and the instance's information says so. PutInventory is the agent's own public operation.
"""

import json
from datetime import datetime, UTC

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ssm.models import ssm_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from demo.emulator import Options
from demo.emulator.paging import BadToken, page, size

#: Most entries of one page (SSM API, `MaxResults` of the three operations).
PAGE_MAX = 50
#: Bytes of all inventory that one call brings (Systems Manager quotas, "Inventory data collected per node per call").
CALL_BYTES_MAX = 1024 * 1024


class SsmError(ServiceException):
    """An SSM error in AWS' form."""


class State:
    """What SSM knows of the instances of one account and region."""

    def __init__(self) -> None:
        self.information: dict[str, dict] = {}  # instance -> InstanceInformation
        self.inventory: dict[str, dict[str, dict]] = {}  # instance -> type -> item


def state_of(backend: object) -> State:
    """Kept on moto's backend, so that a reset of moto forgets it as well."""
    if not hasattr(backend, "muster_state"):
        backend.muster_state = State()
    return backend.muster_state


def register(body: dict) -> dict:
    """The agent of an instance called in, or was lost when `information` is null."""
    state = state_of(ssm_backends[body["account"]][body["region"]])
    instance = body["instance"]
    if body.get("information") is None:
        state.information.pop(instance, None)
        state.inventory.pop(instance, None)
        return {}
    now = datetime.now(UTC).timestamp()
    defaults = {
        "PingStatus": "Online",
        "LastPingDateTime": now,
        "AgentVersion": "3.3.1611.0",
        "IsLatestVersion": True,
        "ResourceType": "EC2Instance",
    }
    state.information[instance] = defaults | body["information"] | {"InstanceId": instance}
    return {}


def install(_options: Options) -> None:
    for operation in (describe_instance_information, put_inventory, get_inventory, list_inventory_entries):
        setattr(SimpleSystemManagerResponse, operation.__name__, operation)


def describe_instance_information(self) -> ActionResult:
    body = json.loads(self.body)
    chosen = list(state_of(self.ssm_backend).information.values())
    # The old list of filters has lower-case names, the newer one capitals: AWS still takes both.
    filters = [(f["Key"], f["Values"]) for f in body.get("Filters") or []]
    filters += [(f["key"], f["valueSet"]) for f in body.get("InstanceInformationFilterList") or []]
    for key, values in filters:
        field = {"InstanceIds": "InstanceId", "PingStatus": "PingStatus", "PlatformTypes": "PlatformType"}.get(key)
        if field is None:
            raise SsmError("InvalidFilterKey", f"The filter {key} is not known here.")
        chosen = [information for information in chosen if information.get(field) in values]
    return paged("InstanceInformationList", chosen, body)


def put_inventory(self) -> ActionResult:
    body = json.loads(self.body)
    state = state_of(self.ssm_backend)
    instance = known_instance(state, body)
    if len(self.body) > CALL_BYTES_MAX:
        raise SsmError(
            "TotalSizeLimitExceededException", "The size of inventory data has exceeded the total size limit."
        )
    for item in body["Items"]:
        name = item["TypeName"]
        if not name.startswith(("AWS:", "Custom:")):
            raise SsmError("InvalidTypeNameException", f"The parameter type name {name} isn't valid.")
        if item.get("Content") is None:
            # Only the hash: the agent says that nothing changed since.
            stored = state.inventory.get(instance, {}).get(name)
            if stored is None or stored.get("ContentHash") != item.get("ContentHash"):
                raise SsmError("ItemContentMismatchException", f"There is a content mismatch for {name}.")
            stored["CaptureTime"] = item["CaptureTime"]
            continue
        state.inventory.setdefault(instance, {})[name] = dict(item)
    return ActionResult({"Message": "Inventory was successfully saved."})


def get_inventory(self) -> ActionResult:
    body = json.loads(self.body)
    state = state_of(self.ssm_backend)
    if body.get("Aggregators"):
        raise SsmError("InvalidAggregatorException", "Aggregators are not known here.")
    chosen = sorted(state.information)
    for condition in body.get("Filters") or []:
        if condition["Key"] != "AWS:InstanceInformation.InstanceId" or condition.get("Type", "Equal") != "Equal":
            raise SsmError("InvalidFilter", f"The filter {condition['Key']} is not known here.")
        chosen = [instance for instance in chosen if instance in condition["Values"]]
    asked = [attribute["TypeName"] for attribute in body.get("ResultAttributes") or []]
    entities = [
        {"Id": instance, "Data": {name: result(state, instance, name) for name in asked or ["AWS:InstanceInformation"]}}
        for instance in chosen
    ]
    for entity in entities:
        entity["Data"] = {name: data for name, data in entity["Data"].items() if data is not None}
    return paged("Entities", entities, body)


def result(state: State, instance: str, name: str) -> dict | None:
    """One inventory type of one instance; `AWS:InstanceInformation` is always there."""
    if name == "AWS:InstanceInformation":
        information = state.information[instance]
        content = {key: str(value) for key, value in information.items() if isinstance(value, str)}
        captured = datetime.fromtimestamp(information["LastPingDateTime"], UTC)
        stamp = captured.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"TypeName": name, "SchemaVersion": "1.0", "CaptureTime": stamp, "Content": [content]}
    item = state.inventory.get(instance, {}).get(name)
    if item is None:
        return None
    return {
        key: item[key] for key in ("TypeName", "SchemaVersion", "CaptureTime", "ContentHash", "Content") if key in item
    }


def list_inventory_entries(self) -> ActionResult:
    body = json.loads(self.body)
    state = state_of(self.ssm_backend)
    instance = known_instance(state, body)
    if body.get("Filters"):
        raise SsmError("InvalidFilter", "Filters are not known here.")
    name = body["TypeName"]
    answer = {"TypeName": name, "InstanceId": instance}
    item = state.inventory.get(instance, {}).get(name)
    if item is None:
        return ActionResult(answer | {"Entries": []})
    answer |= {"SchemaVersion": item["SchemaVersion"], "CaptureTime": item["CaptureTime"]}
    return paged("Entries", item["Content"], body, answer)


def known_instance(state: State, body: dict) -> str:
    instance = body["InstanceId"]
    if instance not in state.information:
        raise SsmError("InvalidInstanceId", f"{instance} is not a managed instance.")
    return instance


def paged(name: str, items: list, body: dict, answer: dict | None = None) -> ActionResult:
    try:
        items, token = page(items, body.get("NextToken"), size(body.get("MaxResults"), PAGE_MAX, PAGE_MAX))
    except BadToken as bad:
        raise SsmError("InvalidNextToken", "The specified token isn't valid.") from bad
    return ActionResult((answer or {}) | {name: items} | ({"NextToken": token} if token else {}))
