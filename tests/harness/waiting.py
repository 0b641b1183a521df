"""Waiting for what comes by itself: never a fixed sleep, always a limit, and an error that says what was missing."""

import time
from collections.abc import Callable
from typing import TypeVar

#: Generous, since it only costs time when something is wrong: debug builds on two busy cores.
PATIENCE_S = 90.0
LOOK_EVERY_S = 0.25

T = TypeVar("T")


def wait_until(what: str, look: Callable[[], T], timeout_s: float = PATIENCE_S, detail: Callable[[], str] = str) -> T:
    """The first answer of `look` that is true. An `AssertionError` naming `what` when none came in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain: {what}; last: {answer!r}\n{detail()}")
        time.sleep(LOOK_EVERY_S)
