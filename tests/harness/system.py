"""A running Muster: all services in one process, or each in one of its own; and what it answers."""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from demo.up import ADVISORIES, Demo
from harness.engines import Engines
from harness.processes import ADDRESS, Process, clean_environment
from harness.waiting import wait_until

SERVICES = ("advisories", "discovery", "gateway", "inventory", "matching", "publishing", "scoring")
#: Longest that one command may take.
COMMAND_TIMEOUT_S = 60
#: Rounds are short, so that a test need not wait for the next one.
ROUNDS = {"MUSTER_SWEEP_SECONDS": "2", "MUSTER_FEED_SECONDS": "1"}
#: How often in a row all must be quiet to count as settled: a message can be between two services.
QUIET_LOOKS = 4


def binary() -> str:
    """The program under test: `MUSTER_BINARY`, or the debug build in the target folder."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
    path = Path(os.environ.get("MUSTER_BINARY", target / "debug/muster"))
    assert path.is_file(), f"{path} is not there: ./test builds it"
    return str(path)


class System:
    """Muster on the demo's AWS. Every process keeps its folder over restarts."""

    def __init__(self, demo: Demo, folder: Path, **settings: str) -> None:
        self.demo = demo
        self.folder = folder
        self.feeds = folder / "feeds"
        self.processes: dict[str, Process] = {}
        if not self.feeds.exists():
            shutil.copytree(ADVISORIES, self.feeds)
        self.environment = (
            clean_environment() | demo.environment() | ROUNDS | {"MUSTER_FEEDS": str(self.feeds)} | settings
        )

    def commands(self) -> dict[str, list[str]]:
        """Process -> arguments of `muster up`."""
        raise NotImplementedError

    @property
    def door(self) -> str:
        """The process that holds the gateway."""
        raise NotImplementedError

    def advise(self, record: dict) -> None:
        """Puts an advisory into the feeds, as one that was just published or changed."""
        beside = self.feeds / "osv.part"
        beside.write_text(json.dumps(record))
        beside.rename(self.feeds / f"osv/{record['id']}.json")

    def start(self) -> None:
        for name in self.commands():
            self.restart(name)
        for process in self.processes.values():
            process.wait_for(ADDRESS)

    def restart(self, name: str) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        environment = self.environment | {"MUSTER_DATA_FOLDER": str(folder)}
        command = [binary(), "up", "--listen", "127.0.0.1:0", *self.commands()[name]]
        self.processes[name] = Process(name, command, folder, environment)

    def kill(self, name: str) -> None:
        self.processes[name].kill()

    def stop(self) -> None:
        """All at once, as an operator would; each must end by itself and say that all went well."""
        running = [process for process in self.processes.values() if process.is_running()]
        for process in running:
            process.ask_to_stop()
        codes = {process.name: process.stop() for process in running}
        assert set(codes.values()) <= {0}, f"{codes}\n{self.tail()}"

    def abandon(self) -> None:
        """Ends what is still there after a test that failed."""
        for process in self.processes.values():
            if process.is_running():
                process.kill()

    @property
    def address(self) -> str:
        return self.processes[self.door].wait_for(ADDRESS)

    def tail(self) -> str:
        return "\n".join(process.tail() for process in self.processes.values())

    def command(self, *arguments: str, expected: int = 0) -> str:
        """What a subcommand of `muster` prints when it asks this system."""
        environment = self.environment | {"MUSTER_GATEWAY": self.address}
        done = subprocess.run(
            [binary(), *arguments], env=environment, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S
        )
        words = f"muster {' '.join(arguments)}: exit {done.returncode}, {done.stderr}"
        assert done.returncode == expected, f"{words}\n{self.tail()}"
        return done.stdout

    def ask(self, *arguments: str) -> list | dict:
        return json.loads(self.command(*arguments, "--format", "json"))

    def findings(self, *filters: str, status: str = "ACTIVE") -> list[dict]:
        found = self.ask("findings", "list", "--limit", "100000", "--status", status, *filters)
        return sorted(found, key=lambda finding: finding["id"])

    def pairs(self, status: str = "ACTIVE") -> set[tuple[str, str]]:
        """(resource id, vulnerability id) of all package findings."""
        package = [f for f in self.findings(status=status) if f["finding_type"] == "PACKAGE_VULNERABILITY"]
        return {(finding["resource_id"], finding["vulnerability_id"]) for finding in package}

    def resources_with(self, vulnerability: str) -> set[str]:
        """The resources with an active finding of this vulnerability."""
        return {finding["resource_id"] for finding in self.findings("--vulnerability", vulnerability)}

    def coverage(self) -> dict[str, dict]:
        """By resource id."""
        return {row["resource_id"]: row for row in self.ask("coverage")}

    def status(self) -> dict:
        return self.ask("status")

    def wait(self, what: str, look, timeout_s: float = 90):
        return wait_until(what, look, timeout_s, self.tail)

    def settle(self, timeout_s: float = 120) -> None:
        """Until advisories are there, everything is read, judged and told, and stays so for some looks in a row."""
        seen: Counter[str] = Counter()

        def look() -> bool:
            status = self.status()
            behind = sum(sink["behind"] for sink in status["sinks"])
            pending = status["coverage"].get("PENDING_INITIAL_SCAN", 0)
            covered = sum(status["coverage"].values())
            busy = behind or pending or not status["epoch"]["number"] or covered < status["resources"]
            state = json.dumps([status["epoch"], status["findings"], status["coverage"], status["resources"]])
            if busy or state not in seen:
                seen.clear()
            seen[state] += 0 if busy else 1
            return seen[state] >= QUIET_LOOKS

        self.wait("all is read, judged and told", look, timeout_s)


class Embedded(System):
    """All services in one process on the embedded engines."""

    door = "muster"

    def commands(self) -> dict[str, list[str]]:
        return {"muster": []}


class Distributed(System):
    """Each service its own process over NATS, Redis and PostgreSQL; two matchers."""

    door = "gateway"

    def __init__(self, demo: Demo, folder: Path, engines: Engines, **settings: str) -> None:
        super().__init__(demo, folder, **(engines.settings | settings))

    def commands(self) -> dict[str, list[str]]:
        one = {service: ["--services", service] for service in SERVICES}
        return one | {"matching-2": ["--services", "matching"]}
