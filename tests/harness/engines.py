"""The engines of the distributed form, each a real server of its own on a free loopback port."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from harness.processes import Process, clean_environment
from harness.waiting import wait_until

#: Debian keeps PostgreSQL's programs off the PATH.
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/bin")
    assert found, f"{name} is not installed: ./test installs it"
    return found


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Engines:
    """NATS, Redis and PostgreSQL with nothing in them."""

    def __init__(self) -> None:
        # Not below pytest's own folder: PostgreSQL's user must reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="muster-engines-"))
        self.folder.chmod(0o755)
        self.children: list[Process] = []
        self.nats_port, redis_port, postgres_port = free_port(), free_port(), free_port()
        try:
            nats = [
                program("nats-server"),
                "-a",
                "127.0.0.1",
                "-p",
                str(self.nats_port),
                "-js",
                "-sd",
                str(self.folder),
            ]
            self._start("nats", nats, self.nats_port)
            redis = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(redis_port), "--save", ""]
            self._start("redis", redis, redis_port)
            self._start_postgres(postgres_port)
        except BaseException:
            self.stop()
            raise
        self.settings = {
            "MUSTER_BUS": f"nats://127.0.0.1:{self.nats_port}",
            "MUSTER_CACHE": f"redis://127.0.0.1:{redis_port}",
            "MUSTER_STORE": f"postgres://muster@127.0.0.1:{postgres_port}/postgres",
        }

    def stop(self) -> None:
        for child in reversed(self.children):
            child.kill()  # nothing in them is kept
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish_to_nats(self, subject: str, identity: str, payload: bytes) -> None:
        """One message with the headers of Muster's bus, over NATS' plain text protocol."""
        headers = f"NATS/1.0\r\nMuster-Id: {identity}\r\nMuster-Key: {identity}\r\n\r\n".encode()
        frame = (
            f"HPUB {subject} {len(headers)} {len(headers) + len(payload)}\r\n".encode() + headers + payload + b"\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.nats_port), timeout=10) as connection:
            connection.sendall(b'CONNECT {"verbose":false,"headers":true}\r\n' + frame + b"PING\r\n")
            reader = connection.makefile("rb")
            for line in reader:
                assert not line.startswith(b"-ERR"), line
                if line.startswith(b"PONG"):
                    return
        raise AssertionError("NATS closed the connection")

    def _start(self, name: str, command: list[str], port: int) -> None:
        child = Process(name, command, self.folder, clean_environment())
        self.children.append(child)
        wait_until(f"{name} answers", lambda: child.is_running() and answers(port), 30, child.tail)

    def _start_postgres(self, port: int) -> None:
        versions = sorted(POSTGRES_PROGRAMS.glob("*/bin"), key=lambda folder: int(folder.parent.name))
        assert versions, "postgresql is not installed: ./test installs it"
        data = self.folder / "postgres"
        data.mkdir()
        as_user: list[str] = []
        if os.getuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(data, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        make = [
            *as_user,
            versions[-1] / "initdb",
            "-D",
            data,
            "-U",
            "muster",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        done = subprocess.run([str(word) for word in make], capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        options = [
            f"port={port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=200",
        ]
        run = [
            *as_user,
            versions[-1] / "postgres",
            "-D",
            data,
            *(word for option in options for word in ("-c", option)),
        ]
        self._start("postgres", [str(word) for word in run], port)
