"""Pages of a list, as AWS hands them out: a token names where the next one begins."""

import base64


class BadToken(Exception):
    """The token was not made here."""


def page(items: list, token: str | None, size: int) -> tuple[list, str | None]:
    """At most `size` items from where `token` points, and the token of the next page if there is one."""
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True))
        except ValueError as cause:
            raise BadToken(token) from cause
    end = start + size
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return items[start:end], following


def size(asked: object, default: int, most: int) -> int:
    """The page size for what the caller asked: never above AWS' own maximum, and smaller still when the fault
    switch `page_max` says so."""
    from demo.emulator.faults import FAULTS

    return max(1, min(int(asked or default), most, FAULTS.page_max or most))
