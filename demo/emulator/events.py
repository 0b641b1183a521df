"""EventBridge: sources that begin with `aws.` are AWS' own and refused, an entry has AWS' size limit, and a target
without an input transformer gets the event as it is (moto puts it through a template that leaves out `account`)."""

from moto.events.models import EventsBackend
from moto.events.utils import EventTemplateParser

from demo.emulator import Options

#: Bytes of all entries of one PutEvents (Amazon EventBridge quotas, "PutEvents entry size").
ENTRIES_BYTES_MAX = 256 * 1024


def install(_options: Options) -> None:
    moto_put_events = EventsBackend.put_events

    def put_events(self, events: list[dict]) -> list[dict]:
        answers: list[dict | None] = [refusal(event) for event in events]
        taken = [event for event, refused in zip(events, answers, strict=True) if refused is None]
        # Too many entries are moto's to refuse: it counts what it is given.
        accepted = iter(moto_put_events(self, taken if len(events) <= 10 else events))
        return [answer if answer is not None else next(accepted) for answer in answers]

    moto_parse = EventTemplateParser.parse

    def parse(input_template: str, input_paths_map: dict, event: dict) -> dict:
        if input_template:
            return moto_parse(input_template, input_paths_map, event)
        return {name: value for name, value in event.items() if name != "ingestion-time"}

    EventsBackend.put_events = put_events
    EventTemplateParser.parse = staticmethod(parse)


def refusal(event: dict) -> dict | None:
    """Why AWS would not take this entry; `None`: it would."""
    if event.get("Source", "").startswith("aws."):
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    size = sum(len(str(event.get(name, "")).encode()) for name in ("Source", "DetailType", "Detail"))
    if size > ENTRIES_BYTES_MAX:
        return {"ErrorCode": "InvalidArgument", "ErrorMessage": f"Entry of {size} bytes is too large."}
    return None
