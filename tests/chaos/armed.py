"""Jobs in processes of their own that are struck at their fail points, and say so before it happens."""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import random
import signal
import socket
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Literal, Protocol, get_args

import click
from sqlalchemy.engine import make_url

from lib import failpoints
from lib.failpoints import Step
from tests.rig import JOB_SECONDS, Rig, Run, last_object

Kind = Literal["kill", "stop", "cut"]
"""`kill`: SIGKILL. `stop`: SIGSTOP, until the test lets it go on. `cut`: its way to the database is shut."""

KINDS: tuple[Kind, ...] = get_args(Kind)
PRELOADED = ["pytest", "tests.rig", "jobs.charge_d1", "jobs.notify_d2", "jobs.reset_pg", "tests.chaos.armed"]


class Plan(Protocol):
    """Which blows fall."""

    def falls(self, step: Step, met: int) -> Kind | None:
        """Say what strikes a step that is met for the `met`-th time, if anything does."""
        ...


@dataclass(frozen=True)
class Blow:
    """One blow, the `nth` time that a step is met."""

    step: Step
    kind: Kind
    nth: int = 1

    def falls(self, step: Step, met: int) -> Kind | None:
        """Say what strikes a step that is met for the `met`-th time, if anything does."""
        return self.kind if (step, met) == (self.step, self.nth) else None


class Chance:
    """Blows that fall anywhere, each step with the same odds; the threads' order decides which."""

    def __init__(self, seed: int, odds: float, kinds: tuple[Kind, ...] = KINDS) -> None:
        self._random = random.Random(seed)  # noqa: S311 seeded, so that a failure can be looked at again
        self._odds, self._kinds = odds, kinds

    def falls(self, _step: Step, _met: int) -> Kind | None:
        """Say what strikes a step, if anything does."""
        return self._random.choice(self._kinds) if self._random.random() < self._odds else None


class Watch:
    """Strikes nothing: for the steps that an undisturbed run reaches."""

    def falls(self, _step: Step, _met: int) -> Kind | None:
        """Say what strikes a step: nothing."""
        return None


@dataclass
class Armed:
    """A job under way."""

    process: ForkServerProcess
    output: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def fired(self) -> list[tuple[Step, Kind]]:
        """Return the blows that fell, in their order."""
        lines = [line.split() for line in _read(self.output.with_suffix(".fired")).splitlines()]
        return [(Step(step), kind) for step, kind in lines if kind in KINDS]

    @property
    def met(self) -> Mapping[Step, int]:
        """Return how often each step was reached by a run that came to its end."""
        lines = [line.split() for line in _read(self.output.with_suffix(".met")).splitlines()]
        return {Step(step): int(number) for step, number in lines}

    def is_stopped(self) -> bool:
        """Tell whether it stands still."""
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T"
        return False

    def wait_until_stopped(self) -> bool:
        """Wait until it stands still; False: it came to its end instead."""
        while self.process.is_alive():
            if self.is_stopped():
                return True
            time.sleep(0.01)
        return False

    def go_on(self) -> None:
        """Let it go on after a stop."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it here and now."""
        self.process.kill()

    def wait(self) -> Run:
        """Wait until it ends; the exit code is negative where a signal ended it."""
        self.process.join(JOB_SECONDS)
        exit_code = self.process.exitcode
        assert exit_code is not None, f"still running: {_read(self.output.with_suffix('.err'))}"
        stdout = _read(self.output.with_suffix(".out"))
        return Run(exit_code, stdout, _read(self.output.with_suffix(".err")), last_object(stdout))


_numbers = iter(range(1 << 62))


def start(rig: Rig, job: str, *arguments: str, plan: Plan) -> Armed:
    """Start a job as a process of its own that a plan's blows fall on."""
    output = rig.folder / f"armed-{job}-{os.getpid()}-{next(_numbers)}"
    port = make_url(rig.settings().database.url).port
    told = ["--config", str(rig.path), "--json", *arguments]
    process = _context().Process(target=_play, args=(job, told, output, plan, port), daemon=True)
    process.start()
    return Armed(process, output)


def run(rig: Rig, job: str, *arguments: str, plan: Plan) -> tuple[Run, list[tuple[Step, Kind]]]:
    """Run a job to its end, or to that which a blow makes of it."""
    armed = start(rig, job, *arguments, plan=plan)
    return armed.wait(), armed.fired


def _context() -> ForkServerContext:
    """Return what forks processes that have everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _play(job: str, arguments: list[str], output: Path, plan: Plan, database_port: int | None) -> None:
    """Be the job."""
    for name, number in ((".out", 1), (".err", 2)):
        descriptor = os.open(output.with_suffix(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), "utf-8", line_buffering=True)
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), "utf-8", line_buffering=True)
    visitor = _Visitor(plan, output, database_port)
    failpoints.visitors.append(visitor)
    command: click.Command = importlib.import_module(f"jobs.{job}").main
    try:
        command.main(arguments, prog_name=job)
    finally:
        visitor.say_met()
        sys.stdout.flush()
        sys.stderr.flush()


class _Visitor:
    """Stands at every fail point of one process."""

    def __init__(self, plan: Plan, output: Path, database_port: int | None) -> None:
        self._plan, self._output, self._port = plan, output, database_port
        self._met: Counter[Step] = Counter()
        self._lock = threading.Lock()

    def __call__(self, step: Step) -> None:
        with self._lock:
            self._met[step] += 1
            kind = self._plan.falls(step, self._met[step])
            if kind:
                with self._output.with_suffix(".fired").open("a", encoding="ascii") as told:
                    told.write(f"{step} {kind}\n")
        match kind:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "cut":
                _each_socket_to(self._port, lambda each: each.shutdown(socket.SHUT_RDWR))

    def say_met(self) -> None:
        """Write down how often each step was reached."""
        lines = [f"{step} {number}\n" for step, number in self._met.items()]
        self._output.with_suffix(".met").write_text("".join(lines), encoding="ascii")


def _each_socket_to(port: int | None, act: Callable[[socket.socket], object]) -> None:
    """Do something to every socket of this process that is connected to a port."""
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name.name)).st_mode):
                with socket.socket(fileno=os.dup(int(name.name))) as each:
                    if each.getpeername()[1:2] == (port,):
                        act(each)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
