"""compose.yaml beyond its schema: what it refers to is there, and every service can say how it does."""

from pathlib import Path

import yaml
from harness.system import SERVICES

COMPOSE = yaml.safe_load((Path(__file__).resolve().parent.parent / "compose.yaml").read_text())


def commands() -> dict[str, str]:
    """Service -> the words that start it."""
    return {name: " ".join(map(str, words(service))) for name, service in COMPOSE["services"].items()}


def words(service: dict) -> list:
    command = service.get("command", [])
    environment = service.get("environment", {})
    values = environment.values() if isinstance(environment, dict) else environment
    return [*(command if isinstance(command, list) else [command]), *values]


def test_what_a_service_depends_on_is_there_and_can_be_healthy():
    for name, service in COMPOSE["services"].items():
        needed = service.get("depends_on", {})
        for other in needed:
            assert other in COMPOSE["services"], f"{name} depends on {other}"
            condition = needed[other]["condition"] if isinstance(needed, dict) else "service_started"
            if condition == "service_healthy":
                assert "healthcheck" in COMPOSE["services"][other], f"{other} has no health check"


def test_every_service_of_muster_is_started():
    for service in SERVICES:
        assert [name for name, command in commands().items() if service in command], f"nobody starts {service}"


def test_volumes_are_declared():
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0] if isinstance(volume, str) else volume.get("source", "")
            if source and not source.startswith((".", "/")):
                assert source in COMPOSE.get("volumes", {}), f"{name} mounts {source}"
