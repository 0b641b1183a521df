"""`python3 -m demo up|environment|hint`: what `./run` calls."""

import argparse
import json
import shlex
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the emulated AWS with the demo fleet and stay")
    up.add_argument("--folder", type=Path, required=True, help="for logs and the registry's images")
    up.add_argument("--cache", type=Path, required=True, help="for fetched software")
    up.add_argument("--ready-file", type=Path, required=True, help="written when all is there")
    environment = commands.add_parser("environment", help="print the ready file's environment for a shell")
    environment.add_argument("ready_file", type=Path)
    hint = commands.add_parser("hint", help="wait for the gateway, then print a line to try")
    hint.add_argument("--listen", required=True, help="the gateway's HOST:PORT")
    hint.add_argument("--aws", required=True, help="the AWS command line")
    arguments = parser.parse_args()
    match arguments.command:
        case "up":
            from demo.software import FetchFailed
            from demo.up import run

            try:
                run(arguments.folder.resolve(), arguments.cache.resolve(), arguments.ready_file.resolve())
            except (FetchFailed, OSError, RuntimeError) as fault:
                print(f"demo: {fault}", file=sys.stderr)
                return 1
        case "environment":
            for name, value in json.loads(arguments.ready_file.read_text())["environment"].items():
                print(f"export {name}={shlex.quote(value)}")
        case "hint":
            print_hint(arguments.listen, arguments.aws)
    return 0


def print_hint(listen: str, aws: str) -> None:
    """Whoever started this ends it; it waits as long as it takes."""
    from demo.emulator import ACCESS_KEY_ID, SECRET_ACCESS_KEY
    from demo.fleet import REGION

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            opener.open(f"http://{listen}/healthz", timeout=5).close()
            break
        except urllib.error.HTTPError:
            break  # it answers
        except OSError:
            time.sleep(0.2)
    keys = f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}"
    print(
        f"\nTry:\n  {keys} {aws} inspector2 list-findings --endpoint-url http://{listen} --region {REGION}\n",
        flush=True,
    )


sys.exit(main())
