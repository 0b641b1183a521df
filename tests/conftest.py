"""Fixtures of the whole-system scenarios: one demo for all of them, a fresh Muster for each."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from demo.fleet import Fleet  # noqa: E402
from demo.up import ADVISORIES, Demo  # noqa: E402
from harness import command_line  # noqa: E402
from harness.engines import Engines  # noqa: E402
from harness.sinks import Sinks  # noqa: E402
from harness.system import Distributed, Embedded, System  # noqa: E402


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The emulated AWS with the demo fleet. Scenarios leave the fleet as they found it."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    cache = Path(os.environ.get("MUSTER_CACHE_FOLDER", home / "muster")) / "demo/cache"
    with Demo(tmp_path_factory.mktemp("demo"), cache, lambda words: print("demo:", words)) as demo:
        yield demo


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's advisories as a file."""
    path = tmp_path_factory.mktemp("database") / "demo.advisories"
    command_line.run("db", "build", "--from", str(ADVISORIES), "--output", str(path))
    return str(path)


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same root in every shape that needs no registry."""
    return command_line.shapes(tmp_path_factory.mktemp("targets"))


@pytest.fixture
def fleet(demo: Demo) -> Fleet:
    return demo.fleet


@pytest.fixture
def sinks(demo: Demo) -> Iterator[Sinks]:
    """Empty sinks, and no faults before or after the scenario."""
    sinks = Sinks(demo.accounts)
    demo.accounts.faults()
    sinks.clear()
    yield sinks
    demo.accounts.faults()


@pytest.fixture
def start(demo: Demo, sinks: Sinks, tmp_path: Path) -> Iterator[Callable[..., Embedded]]:
    """Starts an embedded Muster with these settings; what still runs at the end is stopped and must stop well."""
    systems: list[System] = []

    def start(name: str = "embedded", **settings: str) -> Embedded:
        system = Embedded(demo, tmp_path / name, **settings)
        systems.append(system)
        system.start()
        return system

    with stopping(systems):
        yield start


@pytest.fixture
def muster(start: Callable[..., Embedded]) -> Embedded:
    """An embedded Muster that has told all it knows of the fleet."""
    system = start()
    system.settle()
    return system


@pytest.fixture(scope="module")
def standing(demo, tmp_path_factory) -> Iterator[Embedded]:
    """A Muster that has told all it knows, for those who only look at it."""
    demo.accounts.faults()
    Sinks(demo.accounts).clear()
    system = Embedded(demo, tmp_path_factory.mktemp("standing"))
    with stopping([system]):
        system.start()
        system.settle()
        yield system


@pytest.fixture
def engines() -> Iterator[Engines]:
    engines = Engines()
    yield engines
    engines.stop()


@pytest.fixture
def distributed(demo: Demo, sinks: Sinks, engines: Engines, tmp_path: Path) -> Iterator[Distributed]:
    """A distributed Muster that has told all it knows of the fleet. A message fails for good within seconds."""
    system = Distributed(demo, tmp_path / "distributed", engines, MUSTER_REDELIVERY_SECONDS="1")
    with stopping([system]):
        system.start()
        system.settle()
        yield system


@contextmanager
def stopping(systems: list[System]) -> Iterator[None]:
    """Every system must stop by itself in the end; none outlives it."""
    try:
        yield
        for system in systems:
            system.stop()
    finally:
        for system in systems:
            system.abandon()
