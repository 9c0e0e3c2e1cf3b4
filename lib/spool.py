"""The local spool: approvals are on this host's disk before the database is told of them.

One file per run, locked by the run that writes it; a lock dies with its process, so a file without one is an
earlier run's and is read in by the next command that settles. What the database knows is kept for some weeks
all the same, under another name: a database restored from a backup knows nothing of it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import TextIO

from lib.failpoints import Step, reach
from lib.gateways import Approval
from lib.settings import Settings

LEFT, TOLD = "approvals", "told"
ROOM = 8192
"""Bytes that must be free when a run begins: the approvals of a batch."""
KEPT_SECONDS = 35 * 86_400
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Line = tuple[str, Approval]
"""An approval and its PG."""


class SpoolError(Exception):
    """The spool cannot be written: nothing may be charged. The text names the folder and the remedy."""


@dataclass(frozen=True)
class Found:
    """A file of an ended run: its approvals, how many lines mean nothing, or why it cannot be read at all."""

    path: Path
    approvals: Sequence[Line] = ()
    torn: int = 0
    fault: str = ""


class Spool:
    """The spool folder, and this run's own file in it. Shops that share a folder leave each other's alone."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.paths.spool
        self._shop = settings.database.shop_schema or "file"
        self._path = self._folder / f"{LEFT}-{self._shop}-{uuid.uuid4().hex}.jsonl"
        self._file: FileIO | None = None
        self._size = 0

    def open(self) -> None:
        """Make this run's file; raises SpoolError where that is not possible."""
        new = self._path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
            descriptor = os.open(
                new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600
            )
            self._file = FileIO(descriptor, "a")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A disk that is full is found before anything is charged, not after.
            _write(self._file, b" " * ROOM)
            os.fsync(descriptor)
            self._file.truncate(0)
            # Only now may it bear the name that others look for: a file without a lock is an ended run's.
            new.rename(self._path)
            _sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise self._fault(error) from None

    def append(self, approvals: Iterable[Line]) -> None:
        """Write approvals with their PG and wait until they are on disk; raises SpoolError."""
        lines = [json.dumps({"pg_code": pg_code, **asdict(each)}) for pg_code, each in approvals]
        if not lines:
            return
        if self._file is None:
            self.open()
        assert self._file is not None  # noqa: S101 open() has set it or raised
        content = "".join(f"{line}\n" for line in lines).encode()
        try:
            _write(self._file, content)
            reach(Step.SPOOL_WRITTEN)
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._size)  # half a line would spoil the next one
            raise self._fault(error) from None
        self._size += len(content)

    def forget_own(self) -> None:
        """Set this run's file aside: the database knows all that is in it."""
        self._set_aside(self._path, is_empty=not self._size)

    def close(self) -> None:
        """Let go of this run's file; where it was not set aside, the next run reads it in."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def left_over(self) -> Iterator[Found]:
        """Yield the files that ended runs left.

        The file is locked while it is being looked at; the caller calls `forget` once the database knows.
        """
        for path in self._named(LEFT):
            if path != self._path:
                yield from _look_into(path)

    def kept(self, is_known: Callable[[Line], bool]) -> Iterator[Found]:
        """Yield files that were told to a database which does not know of it any more: it was restored.

        A database that knows the last approval of a file knows the file.
        """
        for path in self._named(TOLD):
            with suppress(OSError):  # another run drops it too
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink(missing_ok=True)
                    continue
                last = _last(path)
                if last and not is_known(last):
                    yield from _look_into(path)

    def forget(self, found: Found) -> None:
        """Set a file aside that was read in."""
        self._set_aside(found.path, is_empty=not found.approvals)

    def _named(self, what: str) -> list[Path]:
        """Return the files of this shop, and those that name none."""
        found = ((path, path.stem.split("-")) for path in self._folder.glob(f"{what}-*.jsonl"))
        return sorted(path for path, parts in found if parts[1:-1] in ([], [self._shop]))

    def _set_aside(self, path: Path, *, is_empty: bool) -> None:
        try:
            if is_empty:
                path.unlink(missing_ok=True)
                return
            with suppress(FileNotFoundError):  # another run was faster
                path.rename(path.with_name(f"{TOLD}-{self._shop}-{path.stem.split('-')[-1]}.jsonl"))
        except OSError as error:
            raise self._fault(error) from None

    def _fault(self, error: OSError) -> SpoolError:
        remedy = "디스크 공간을 비워 주세요" if error.errno in NO_ROOM else "쓰기 권한을 주세요"
        return SpoolError(
            f"paths.spool: {self._folder} 에 쓸 수 없습니다({error.strerror}). "
            f"{remedy}. 그 전에는 결제하지 않습니다"
        )


def _write(file: FileIO, content: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part and says so only at the next try."""
    while content:
        content = content[file.write(content) or 0 :]


def _look_into(path: Path) -> Iterator[Found]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Found(path, fault="파일이 아님")
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield _read(path, file)
    except (FileNotFoundError, BlockingIOError):
        return  # another run has just read it in, or its own run is alive
    except OSError as error:
        yield Found(path, fault=error.strerror or type(error).__name__)


def _read(path: Path, file: TextIO) -> Found:
    read = [_line(line) for line in file]
    found = [each for each in read if each]
    return Found(path, found, len(read) - len(found))


def _last(path: Path) -> Line | None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - ROOM))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return next(filter(None, map(_line, reversed(lines))), None)


def _line(text: str) -> Line | None:
    """Read a line; None: the power went while it was written, and its attempt is settled by asking."""
    try:
        found = json.loads(text)
        line = str(found.pop("pg_code")), Approval(**found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    numbers = line[1].amount_krw, line[1].seq
    words = line[1].tid, line[1].order_no, line[1].approval_no, line[1].kind
    is_whole = all(type(each) is int for each in numbers) and all(type(each) is str for each in words)
    return line if is_whole else None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
