"""How a command ends: whatever happens becomes clear lines and an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from sqlalchemy.exc import DBAPIError

from lib.command.codes import BUG, DONE, USAGE, code_of, database_fault, last_line
from lib.command.options import Options
from lib.store import error_code

ROOT = Path(__file__).resolve().parents[2]


class Told:
    """Which exit code a command ends with."""

    def __init__(self) -> None:
        self.code = DONE


@contextmanager
def reporting(options: Options) -> Iterator[Told]:
    """Turn what ends a command into clear lines and its exit code; never returns normally."""
    _keep_unwritable_characters()
    told = Told()
    try:
        with _ending_on_sigterm():
            yield told
    except click.UsageError as error:
        _end_wrong_usage(error, as_json=options.as_json)
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 the last place before the operator
        told.code = code_of(error) or BUG
        try:
            for line in _error_lines(error):
                click.echo(line, err=True)
            _say_end(told.code, type(error).__name__, as_json=options.as_json)
        except OSError:
            _let_go_of_output()
    sys.exit(told.code)


def _let_go_of_output() -> None:
    """Nothing more can be said, as where the log is on the disk that is full: the exit code still says it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _keep_unwritable_characters() -> None:
    """A name that the terminal's encoding does not have must not end a run that has charged."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Let the first SIGTERM end the run as Ctrl-C does: what is under way is recorded; a second one kills."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _error_lines(error: BaseException) -> Iterator[str]:
    if isinstance(error, KeyboardInterrupt):
        yield "중단되었습니다. 다시 실행하면 남은 것부터 이어서 합니다"
    elif isinstance(error, DBAPIError):
        yield database_fault(error) or f"데이터베이스 오류 {error_code(error)}: {_place(error)}"
    elif code_of(error) == BUG:
        # The text of an unexpected error may hold anything: only its kind and place are told.
        yield f"{type(error).__name__}: {_place(error)}"
    else:
        yield str(error)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(str(ROOT))]
    ours = [frame for frame in inside if "site-packages" not in frame.filename] or inside
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(ours[-4:]))


def _say_end(code: int, error: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"exit_code": code, "error": error}))
    else:
        click.echo(last_line(code), err=True)


def _end_wrong_usage(error: click.UsageError, *, as_json: bool) -> NoReturn:
    error.show()
    _say_end(USAGE, type(error).__name__, as_json=as_json)
    sys.exit(USAGE)


class JobCommand(click.Command):
    """A command whose wrong usage ends like everything else, also before its options are known."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 as click has it
    ) -> click.Context:
        """Read the options."""
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            _end_wrong_usage(error, as_json=as_json)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 as click has it
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _end_wrong_usage(error, as_json=bool(ctx.params.get("as_json")))
