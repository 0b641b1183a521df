"""`python3 -m demo.emulator --port PORT [--registry HOST:PORT]`: the emulator on its own. The registry's password
comes in `MUSTER_DEMO_REGISTRY_PASSWORD`, so that no process list shows it."""

import argparse
import os

from demo.emulator import Options, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="demo.emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--registry", default="")
    arguments = parser.parse_args()
    password = os.environ.get("MUSTER_DEMO_REGISTRY_PASSWORD", "")
    serve(Options(port=arguments.port, registry=arguments.registry, registry_password=password))


main()
