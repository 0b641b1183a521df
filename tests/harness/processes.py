"""One process of Muster, or of an engine: started, watched, killed."""

import os
import re
import signal
import subprocess
from pathlib import Path

from harness.waiting import wait_until

#: What `muster up` prints once it listens.
ADDRESS = re.compile(r"muster listens on (http://127\.0\.0\.1:\d+)")
#: How long a process may take to stop when it is asked to.
STOP_TIMEOUT_S = 30
#: The part of a log that an error shows.
TAIL_BYTES = 3000


class Process:
    """A child with its output in a file."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        # Appending: what a killed process said stays readable after its restart.
        self.asked_to_stop = False
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder
            )

    def output(self) -> str:
        """All that this process has said."""
        return self.log.read_bytes()[self.begin :].decode(errors="replace")

    def tail(self) -> str:
        """The end of it, for an error message."""
        return f"--- {self.name}\n{self.output()[-TAIL_BYTES:]}"

    def is_running(self) -> bool:
        return self.child.poll() is None

    def wait_for(self, pattern: re.Pattern[str], timeout_s: float = 60) -> str:
        """The first group of the pattern in the output."""

        def look() -> str | None:
            found = pattern.search(self.output())
            if found is None and not self.is_running():
                raise AssertionError(f"{self.name} ended with {self.child.returncode}\n{self.tail()}")
            return found.group(1) if found else None

        return wait_until(f"{self.name} says {pattern.pattern}", look, timeout_s, self.tail)

    def kill(self) -> None:
        """`kill -9`: it gets no chance to tidy up."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def ask_to_stop(self) -> None:
        """Once: a second signal would mean "at once"."""
        if self.is_running() and not self.asked_to_stop:
            self.asked_to_stop = True
            self.child.terminate()

    def stop(self) -> int:
        """Asks it to stop; its exit code."""
        self.ask_to_stop()
        try:
            return self.child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not stop within {STOP_TIMEOUT_S} s\n{self.tail()}") from None

    def peak_memory_bytes(self) -> int:
        """The most memory that it ever had resident (proc(5), VmHWM)."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def clean_environment() -> dict[str, str]:
    """The test's environment without anybody's AWS account or Muster settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MUSTER_"))}
