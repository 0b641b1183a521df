"""Starts the registry and the emulator on free loopback ports, makes the fleet in it, and stops both at the end."""

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import bcrypt

from demo import oci
from demo.accounts import Accounts
from demo.emulator import ACCESS_KEY_ID, MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT, ROLE_NAME, SECRET_ACCESS_KEY
from demo.fleet import REGIONS, Builder, Fleet
from demo.software import Software

ROOT = Path(__file__).resolve().parent.parent
ADVISORIES = Path(__file__).resolve().parent / "advisories"
#: How long the two servers may take to answer for the first time.
START_TIMEOUT_S = 60
#: How long they may take to stop before they are killed.
STOP_TIMEOUT_S = 5


class Demo:
    """A registry and an emulator with the fleet in it; a context manager, so that both are always stopped."""

    def __init__(self, folder: Path, cache: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self.software = Software(cache, say)
        self.children: list[subprocess.Popen] = []
        self.password = secrets.token_urlsafe(24)
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Demo":
        try:
            self.registry_address = self._start_registry()
            self.endpoint = self._start_emulator()
            self.accounts = Accounts(self.endpoint)
            self.registry = oci.Registry(self.registry_address, self.password)
            self.fleet: Fleet = Builder(self.accounts, self.software, self.registry, self.say).build()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """What a client of the emulated AWS needs."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": REGIONS[0],
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "MUSTER_AWS_ENDPOINT_URL": self.endpoint,
            "MUSTER_REGIONS": ",".join(REGIONS),
            "MUSTER_ACCOUNTS": f"{MANAGEMENT_ACCOUNT},{MEMBER_ACCOUNT}",
            "MUSTER_ROLE_NAME": ROLE_NAME,
            "MUSTER_FEEDS": str(ADVISORIES),
        }

    def stop(self) -> None:
        """Ends the children that are still there, politely first."""
        for child in self.children:
            if child.poll() is None:
                child.terminate()
        for child in self.children:
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children.clear()

    def _start_registry(self) -> str:
        program = self.software.program("docker-registry", "usr/bin/docker-registry")
        port = free_port()
        # The lowest cost: the registry checks the password anew for every layer.
        digest = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(4)).decode()
        (self.folder / "htpasswd").write_text(f"AWS:{digest}\n")
        (self.folder / "htpasswd").chmod(0o600)
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "registry")}},
            "http": {"addr": f"127.0.0.1:{port}"},
            "auth": {"htpasswd": {"realm": "demo", "path": str(self.folder / "htpasswd")}},
        }
        # YAML is a superset of JSON.
        (self.folder / "registry.yml").write_text(json.dumps(settings))
        self._start([program, "serve", str(self.folder / "registry.yml")], {}, "registry.log")
        self._wait(f"http://127.0.0.1:{port}/v2/", "registry.log")
        return f"127.0.0.1:{port}"

    def _start_emulator(self) -> str:
        port = free_port()
        command = [sys.executable, "-m", "demo.emulator", "--port", str(port), "--registry", self.registry_address]
        variables = {
            "MUSTER_DEMO_REGISTRY_PASSWORD": self.password,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._start(command, variables, "emulator.log")
        self._wait(f"http://127.0.0.1:{port}/moto-api/data.json", "emulator.log")
        return f"http://127.0.0.1:{port}"

    def _start(self, command: list[str], variables: dict[str, str], log: str) -> None:
        # A session of its own: Ctrl-C in the terminal is for muster first; this process stops its children after it.
        with open(self.folder / log, "wb") as output:
            child = subprocess.Popen(
                command,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self.children.append(child)

    def _wait(self, url: str, log: str) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                opener.open(url, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return  # it answers; that it wants a password is right
            except OSError:
                time.sleep(0.05)
            if self.children[-1].poll() is not None:
                break
        words = (self.folder / log).read_text(errors="replace")[-800:]
        raise RuntimeError(f"{log.removesuffix('.log')} did not start: {words}")


def die_with_parent() -> None:
    """Linux ends the child when this process ends in whatever way (prctl(2), PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    """A loopback port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(folder: Path, cache: Path, ready_file: Path) -> None:
    """Starts the demo, says in `ready_file` how to reach it, and waits for SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with Demo(folder, cache, lambda words: print(f"demo: {words}", file=sys.stderr, flush=True)) as demo:
        state = {"environment": demo.environment(), "fleet": json.loads(demo.fleet.to_json())}
        beside = ready_file.with_suffix(".part")
        beside.write_text(json.dumps(state, indent=1))
        beside.rename(ready_file)
        while not stop.wait(1):
            if any(child.poll() is not None for child in demo.children):
                raise RuntimeError(f"a server of the demo ended by itself; see the logs in {folder}")
