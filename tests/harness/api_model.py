"""Answers checked against AWS' own model of the API, as botocore ships it. Its parser would let nearly all pass."""

import re
from collections.abc import Iterator

from botocore.model import Shape


def faults(shape: Shape, value: object, place: str = "answer") -> Iterator[str]:
    """Where a JSON value is not what the model says."""
    metadata = getattr(shape, "metadata", {})
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no structure"
            return
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        yield from (f"{place}.{name}: is not in the model" for name in value.keys() - names.keys())
        yield from (f"{place}.{name}: is required" for name in set(shape.required_members) - value.keys())
        for name in value.keys() & names.keys():
            yield from faults(names[name], value[name], f"{place}.{name}")
        return
    if shape.type_name == "map":
        for key, one in value.items():
            yield from faults(shape.key, key, f"{place}[{key}]")
            yield from faults(shape.value, one, f"{place}[{key}]")
        return
    kinds = {"string": str, "list": list, "boolean": bool, "integer": int, "long": int}
    kind = kinds.get(shape.type_name, (int, float))  # double, float, timestamp: seconds
    if not isinstance(value, kind) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{place}: {value!r} is no {shape.type_name}"
        return
    size = value if isinstance(value, (int, float)) else len(value)
    if not metadata.get("min", size) <= size <= metadata.get("max", size):
        yield f"{place}: {value!r} is not within {metadata}"
    if shape.type_name == "list":
        for index, one in enumerate(value):
            yield from faults(shape.member, one, f"{place}[{index}]")
    if shape.type_name == "string":
        if metadata.get("enum") and value not in metadata["enum"]:
            yield f"{place}: {value!r} is none of {metadata['enum']}"
        if "pattern" in metadata and not re.search(metadata["pattern"], value):
            yield f"{place}: {value!r} does not match {metadata['pattern']}"
