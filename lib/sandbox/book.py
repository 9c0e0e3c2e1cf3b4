"""What a simulator did, in the order it did it: the other side's evidence for the invariants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

E = TypeVar("E")
T = TypeVar("T")


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")  # every byte has its character, so a mail comes back as it was
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a book holds no {type(value).__name__}")


def entry_line(entry: object) -> str:
    """Return an entry as one line of JSON: its class under `entry`, then its fields."""
    return json.dumps({"entry": type(entry).__name__} | vars(entry), default=_plain, ensure_ascii=False)


class Book(Generic[E]):
    """A list of frozen entries that any thread may add to and read at any time.

    With a folder, every entry is also appended to `<folder>/<name>.jsonl` before `add` returns: it is there
    when the process is killed, though not when the machine loses power. A new process starts an empty book
    and appends to the file; `reset` leaves a line there.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._entries: list[E] = []
        self._lock = Lock()
        self._file = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / f"{name}.jsonl").open("ab", buffering=0)

    def add(self, entry: E) -> None:
        """Append one entry."""
        self._entries.append(entry)
        if self._file is not None:
            self._write(entry_line(entry))

    def reset(self) -> None:
        """Forget all entries; the file keeps them."""
        self._entries = []
        if self._file is not None:
            self._write('{"entry": "Reset"}')

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _write(self, line: str) -> None:
        with self._lock:
            if self._file is not None and not self._file.closed:
                self._file.write(line.encode() + b"\n")

    def __iter__(self) -> Iterator[E]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> E:
        return self._entries[index]

    def of(self, kind: type[T]) -> list[T]:
        """Return the entries of one class, in order."""
        return [entry for entry in self if isinstance(entry, kind)]


def read_book(path: Path) -> list[dict[str, Any]]:
    """Read a book's file back, entries before the last reset included."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
