"""What a terminal gets and a pipe does not, readers that go away, and secrets on the command line."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
import zipfile
from pathlib import Path

import pytest
from harness.command_line import CODES, run
from harness.engines import free_port
from harness.processes import clean_environment
from harness.system import binary

#: Begins a colour or another rendition in a terminal (ECMA-48, SGR).
RED, ESCAPE = "\x1b[38;5;9m", "\x1b["


def on_terminal(*arguments: str, timeout_s: float = 60, columns: int = 160, **environment: str) -> tuple[int, str]:
    """Exit code and all that a terminal was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50 if columns else 0, columns, 0, 0))
    environment = clean_environment() | {"TERM": "xterm-256color"} | environment
    child = subprocess.Popen(
        [binary(), *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    sent = b""
    deadline = time.monotonic() + timeout_s
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                sent += os.read(ours, 65536)
            except OSError:  # Linux' way to say that the other end is closed
                break
        return child.wait(timeout=5), sent.decode(errors="replace")
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_a_terminal_gets_colours_unless_it_does_not_want_them(targets, database):
    arguments = ("scan", targets["dir"], "--advisories", database)
    code, sent = on_terminal(*arguments)
    assert code == 0 and "CVE-2019-10744" in sent and RED in sent
    code, sent = on_terminal(*arguments, NO_COLOR="1")
    assert code == 0 and "CVE-2019-10744" in sent and RED not in sent


def test_a_terminal_that_does_not_tell_its_width_gets_whole_lines(targets, database):
    code, sent = on_terminal("scan", targets["dir"], "--advisories", database, columns=0)
    [line] = [line for line in sent.splitlines() if "CVE-2019-10744" in line]
    assert code == 0 and "lodash" in line and "affected" in line


def test_long_work_shows_progress_on_a_terminal_and_takes_it_away(database, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3000):
            archive.writestr(f"node_modules/p{number}/package.json", f'{{"name": "p{number}", "version": "1.0.0"}}')
        archive.writestr("zeros", bytes(200 << 20))
    code, sent = on_terminal("inventory", f"zip:{tmp_path / 'many.zip'}", "--format", "json")
    assert code == 0 and '"p2999"' in sent
    assert "reading zip:" in sent


def test_once_on_a_terminal_shows_progress_and_no_log_lines(demo, sinks, tmp_path):
    environment = demo.environment() | {"MUSTER_DATA_FOLDER": str(tmp_path)}
    code, sent = on_terminal("up", "--once", "--listen", "127.0.0.1:0", timeout_s=180, **environment)
    assert code == 0, sent
    assert " INFO " not in sent
    assert "first pass" in sent or "sweeping accounts" in sent
    assert sent.rstrip().splitlines()[-1].endswith(" findings")


def piped(command: str, **environment: str) -> str:
    """What a shell's pipeline says, with `$muster` as the program; `code N` is its exit code."""
    environment = clean_environment() | {"muster": binary()} | environment
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, env=environment)
    return done.stdout + done.stderr


@pytest.mark.parametrize("form", ["table", "json", "cyclonedx", "sarif"])
def test_a_reader_that_goes_away_is_no_error(targets, database, form):
    command = f'{{ "$muster" scan {targets["dir"]} --advisories {database} --format {form}; echo code $? >&2; }} | true'
    assert piped(command) == "code 0\n"


def test_a_closed_stderr_is_no_error_either(tmp_path):
    from demo.up import ADVISORIES

    output = tmp_path / "x.advisories"
    command = f'"$muster" db build --from {ADVISORIES} --output {output} 2>&- >/dev/null; echo code $?'
    assert piped(command) == "code 0\n"
    command = (
        f'{{ "$muster" db build --from {ADVISORIES} --output {output} 2>&1 >/dev/null; echo code $? >&3; }} 3>&2 | true'
    )
    assert piped(command) == "code 0\n"


def test_a_full_disk_is_an_error(targets, database):
    command = f'"$muster" scan {targets["dir"]} --advisories {database} >/dev/full; echo code $?'
    told = piped(command).splitlines()
    assert "code 1" in told and len(told) == 2 and "No space left" in "".join(told)


def test_a_system_whose_output_nobody_reads_keeps_running(tmp_path):
    """As `muster up | head -1` leaves it; it must still stop when it is asked to."""
    port = free_port()
    command = [binary(), "up", "--services", "gateway", "--listen", f"127.0.0.1:{port}"]
    environment = clean_environment() | {"MUSTER_DATA_FOLDER": str(tmp_path), "MUSTER_LOG": "debug"}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        child.stdout.close()
        child.stderr.close()
        deadline = time.monotonic() + 30
        while True:
            asked = subprocess.run(
                [binary(), "status", "--gateway", f"http://127.0.0.1:{port}"], capture_output=True, env=environment
            )
            if asked.returncode == 0:
                break
            assert child.poll() is None, "it ended"
            assert time.monotonic() < deadline, asked.stderr
            time.sleep(0.1)
        child.terminate()
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()


PASSWORD = "s3cretpassw0rd"


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("MUSTER_STORE", f"mysql://muster:{PASSWORD}@db/muster", "usage"),
        ("MUSTER_BUS", f"amqp://muster:{PASSWORD}@bus", "usage"),
        ("MUSTER_CACHE", f"memcached://muster:{PASSWORD}@cache", "usage"),
        ("MUSTER_STORE", f"postgres://muster:{PASSWORD}@db:no-port/muster", "failed"),
        ("MUSTER_BUS", f"nats://muster:{PASSWORD}@bus:no-port", "failed"),
        ("MUSTER_CACHE", f"redis://muster:{PASSWORD}@cache:no-port", "failed"),
    ],
    ids=lambda value: value.replace(PASSWORD, "PASSWORD"),
)
def test_a_wrong_address_is_refused_without_its_password(tmp_path, setting, value, expected):
    environment = {setting: value, "MUSTER_DATA_FOLDER": str(tmp_path)}
    done = run("up", "--services", "scoring", "--listen", "127.0.0.1:0", expected=expected, environment=environment)
    assert PASSWORD not in done.stdout + done.stderr
    assert done.stderr.strip()


def test_help_shows_no_secret_of_the_environment():
    names = "STORE BUS CACHE OTLP_ENDPOINT SECRET_ACCESS_KEY EXTERNAL_ID REGISTRY_PASSWORD".split()
    schemes = {"STORE": "postgres://u:", "BUS": "nats://u:", "CACHE": "redis://u:", "OTLP_ENDPOINT": "http://u:"}
    environment = {f"MUSTER_{name}": f"{schemes.get(name, '')}{PASSWORD}{'@h' * (name in schemes)}" for name in names}
    for arguments in (["up", "--help"], ["scan", "--help"], ["findings", "list", "--help"]):
        assert PASSWORD not in run(*arguments, environment=environment).stdout


def test_an_engine_that_is_not_there_is_named_while_it_is_waited_for(tmp_path):
    """A client of NATS or Redis tries without end: somebody must hear of it, and Ctrl-C must work."""
    for setting, scheme in [("MUSTER_BUS", "nats"), ("MUSTER_CACHE", "redis")]:
        environment = {setting: f"{scheme}://muster:{PASSWORD}@127.0.0.1:1", "MUSTER_DATA_FOLDER": str(tmp_path)}
        log = Path(tmp_path / scheme)
        with log.open("wb") as output:
            child = subprocess.Popen(
                [binary(), "up", "--services", "scoring", "--listen", "127.0.0.1:0"],
                env=clean_environment() | environment,
                stdout=output,
                stderr=output,
            )
        try:
            deadline = time.monotonic() + 30
            while b"an engine is not up yet" not in log.read_bytes():
                assert child.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            child.terminate()
            assert child.wait(10) == CODES["good"]
        finally:
            child.kill()
            child.wait()
        assert PASSWORD not in log.read_text()
