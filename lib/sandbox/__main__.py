"""Run the simulators as a process: `python -m lib.sandbox`.

When all of them listen, one line of JSON with their addresses goes to stdout. The process ends on SIGTERM or
SIGINT; with `--until-eof` also when its stdin closes, so that it does not outlive whoever started it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from lib.sandbox import Ports, Sandbox

SIMULATORS = ("toss", "nicepay", "allat", "solapi", "smtp", "control")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.sandbox", description=__doc__)
    for name in SIMULATORS:
        parser.add_argument(f"--{name}-port", type=int, default=0, metavar="N")
    parser.add_argument("--state", type=Path, metavar="DIR", help="append the books there as JSON lines")
    parser.add_argument("--mail-dir", type=Path, metavar="DIR", help="write every accepted mail there")
    parser.add_argument("--sender", action="append", metavar="NUMBER", help="a registered SMS sender number")
    parser.add_argument("--until-eof", action="store_true", help="end when stdin closes")
    return parser.parse_args(argv)


def _set_at_signal(over: Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())


def _set_at_eof(over: Event) -> None:
    # os.read takes no lock of sys.stdin, which would hinder the end of the process.
    while os.read(0, 4096):
        pass
    over.set()


def main(argv: list[str]) -> None:
    """Run until told to end."""
    options, over = _arguments(argv), Event()
    _set_at_signal(over)  # before the addresses are told: who knows them may end the process at once
    ports = Ports(**{name: getattr(options, f"{name}_port") for name in SIMULATORS})
    with Sandbox(ports, state=options.state, mail_dir=options.mail_dir) as sandbox:
        if options.sender:
            sandbox.solapi.switches = replace(sandbox.solapi.switches, senders=tuple(options.sender))
        print(json.dumps({name: getattr(sandbox, name).url for name in SIMULATORS}), flush=True)  # noqa: T201 - how the starter learns the addresses
        if options.until_eof:
            Thread(target=_set_at_eof, args=(over,), daemon=True).start()
        over.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
