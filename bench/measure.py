"""What processes cost: wall time, CPU, memory, and what they ask of the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from bench import DATABASE
from bench.stage import ROOT

POLL_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """The cost of processes that ran at the same time, all together; memory is that of the largest."""

    seconds: float
    """From the start of the first to the end of the last, interpreters and imports included."""
    cpu_s: float
    others_cpu_s: float
    """CPU of the simulators and the database meanwhile: they share the machine."""
    peak_mib: float
    statements: int
    commits: int


@dataclass(frozen=True)
class Done:
    """What processes cost and what each said in its last line of JSON."""

    cost: Cost
    said: list[dict[str, Any]]


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    output: Path
    cpu_s: float = 0.0
    peak_mib: float = 0.0

    def is_over(self) -> bool:
        # VmHWM and not ru_maxrss: that one begins with the memory of the process that forked.
        self.peak_mib = max(self.peak_mib, _peak_mib(self.process.pid))
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
        return bool(pid)

    def said(self) -> dict[str, Any]:
        lines = self.output.read_text(encoding="utf-8").splitlines()
        if self.process.returncode:
            sys.exit("\n".join([f"{self.process.args!r} ended with {self.process.returncode}", *lines[-5:]]))
        found: dict[str, Any] = json.loads(lines[-1])
        return found


def measure(modules: Sequence[Sequence[str]], engine: Engine, others: Iterable[int], folder: Path) -> Done:
    """Run `python -m` with each list of words at the same time and wait for all; a failure ends the bench.

    `others` are the processes whose CPU is counted apart.
    """
    pids = list(others)
    others_before, status_before = _cpu_s(pids), _status(engine)
    began = time.perf_counter()
    database = engine.url.render_as_string(hide_password=False)
    children = [_start(words, database, folder / f"output-{number}") for number, words in enumerate(modules)]
    waiting = list(children)
    while waiting:
        time.sleep(POLL_SECONDS)
        waiting = [child for child in waiting if not child.is_over()]
    seconds = time.perf_counter() - began
    status = {name: number - status_before[name] for name, number in _status(engine).items()}
    cost = Cost(
        seconds=seconds,
        cpu_s=sum(child.cpu_s for child in children),
        others_cpu_s=_cpu_s(pids) - others_before,
        peak_mib=max(child.peak_mib for child in children),
        statements=status["Questions"],
        commits=status["Com_commit"],
    )
    return Done(cost, [child.said() for child in children])


def _start(words: Sequence[str], database: str, output: Path) -> _Child:
    with output.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**os.environ, DATABASE: database},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
    return _Child(process, output)


def _peak_mib(pid: int) -> float:
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def _cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes so far (proc(5): utime and stime follow the name in brackets)."""
    stats = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8") for pid in pids]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


def _status(engine: Engine) -> dict[str, int]:
    query = text("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_commit')")
    with engine.connect() as connection:
        return {name: int(value) for name, value in connection.execute(query)}


def server_pid(engine: Engine) -> list[int]:
    """Return the process of the database, where it runs on this machine and lets itself be found."""
    with engine.connect() as connection:
        path = Path(str(connection.execute(text("SELECT @@pid_file")).scalar_one()))
    try:
        pid = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return []
    return [pid] if Path(f"/proc/{pid}/stat").exists() else []
