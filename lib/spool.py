"""The local spool: approvals are on this host's disk before the database is told of them.

One file per run, locked by the run that writes it; a lock dies with its process, so a file without one is an
earlier run's and is read in by the next command that settles.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from lib.gateways import Approval


class SpoolError(Exception):
    """The spool cannot be written: nothing may be charged. The text names the folder and the remedy."""


class Spool:
    """The spool folder, and this run's own file in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"approvals-{uuid.uuid4().hex}.jsonl"
        self._file: TextIO | None = None

    def open(self) -> None:
        """Make this run's file; raises SpoolError where that is not possible."""
        try:
            self._folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            descriptor = os.open(
                new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600
            )
            self._file = os.fdopen(descriptor, "a", encoding="utf-8")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Only now may it bear the name that others look for: a file without a lock is an ended run's.
            new.rename(self._path)
            _sync_folder(self._folder)
        except OSError as error:
            raise SpoolError(self._fault(error)) from None

    def append(self, approvals: Iterable[tuple[str, Approval]]) -> None:
        """Write approvals with their PG and wait until they are on disk; raises SpoolError."""
        lines = [
            json.dumps({"pg_code": pg_code, **asdict(each)}, ensure_ascii=False)
            for pg_code, each in approvals
        ]
        if not lines:
            return
        if self._file is None:
            self.open()
        try:
            assert self._file is not None  # noqa: S101 open() has set it or raised
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise SpoolError(self._fault(error)) from None

    def forget_own(self) -> None:
        """Drop this run's file: the database knows all that is in it."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of this run's file; where it was not dropped, the next run reads it in."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def left_over(self) -> Iterator[tuple[Path, list[tuple[str, Approval]], int]]:
        """Yield the files that ended runs left, their approvals, and how many lines could not be read.

        The file is locked while it is being looked at; the caller calls `forget` once the database knows.
        """
        for path in sorted(self._folder.glob("approvals-*.jsonl")):
            if path == self._path:
                continue
            try:
                file = path.open(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                continue  # another run has just read it in
            with file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue  # its run is alive
                approvals, torn = _read(file)
                yield path, approvals, torn

    def forget(self, path: Path) -> None:
        """Drop a file that was read in."""
        path.unlink(missing_ok=True)

    def _fault(self, error: OSError) -> str:
        return (
            f"paths.spool: {self._folder} 에 쓸 수 없습니다({error.strerror}). "
            "쓰기 권한을 주세요. 그 전에는 결제하지 않습니다"
        )


def _read(file: TextIO) -> tuple[list[tuple[str, Approval]], int]:
    approvals, torn = [], 0
    for line in file:
        try:
            found = json.loads(line)
            approvals.append((str(found.pop("pg_code")), Approval(**found)))
        except (ValueError, KeyError, TypeError, AttributeError):
            torn += (
                1  # the power went while it was written: its attempt is still open and is settled by asking
            )
    return approvals, torn


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
