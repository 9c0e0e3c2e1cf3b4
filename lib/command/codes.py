"""The exit codes: what each means, and which one an error stands for."""

from __future__ import annotations

import click
from sqlalchemy.exc import DBAPIError

from lib import installing
from lib.redaction import redact
from lib.rendering import TemplateError
from lib.run import Run
from lib.settings import ConfigurationError
from lib.spool import SpoolError
from lib.store import DatabaseAwayError, away_text, error_code, is_passing

DONE, MATTERS, USAGE, BUG, TRY_AGAIN, CONFIGURATION = 0, 1, 2, 70, 75, 78

MEANINGS = {
    DONE: "정상",
    MATTERS: "끝났으나 사람이 확인할 일이 새로 생김. `jeonggi report` 로 확인하세요",
    USAGE: "사용법이 잘못되어 아무것도 하지 않음. --help 를 보세요",
    BUG: "프로그램 오류. 위에 적힌 위치를 개발자에게 알려 주세요",
    TRY_AGAIN: "지금은 할 수 없거나 일부만 함. 같은 명령을 나중에 다시 실행하세요",
    CONFIGURATION: "설정 또는 설치 문제. 고친 뒤 `jeonggi check` 로 확인하세요",
}

ACCESS_DENIED = frozenset({1044, 1045, 1049, 1130, 1142, 1143, 1227, 1370, 1698})
NOT_INSTALLED = frozenset({1054, 1146, 1356})
SQLITE_NOT_INSTALLED = ("no such table", "no such column")
SQLITE_REFUSED = ("unable to open database file", "readonly database", "file is not a database")


def exit_code(run: Run) -> int:
    """Return the run's exit code; where several apply, the largest."""
    if run.refused:
        return CONFIGURATION
    if run.postponed:
        return TRY_AGAIN
    return MATTERS if run.counts["matters_opened"] else DONE


def code_of(error: BaseException) -> int | None:
    """Return the exit code an error that ends a command stands for; None: not ours to judge."""
    match error:
        case (
            ConfigurationError()
            | TemplateError()
            | SpoolError()
            | installing.InstalledElsewhereError()
            | installing.SchemaError()
        ):
            return CONFIGURATION
        case DatabaseAwayError() | KeyboardInterrupt():
            return TRY_AGAIN
        case DBAPIError() if database_fault(error):
            return TRY_AGAIN if is_passing(error) else CONFIGURATION
        case click.ClickException():
            return None
    return BUG if isinstance(error, Exception) else None


def database_fault(error: DBAPIError) -> str | None:
    """Say what is wrong with the database or its set-up, or None: then it is a bug of ours."""
    if is_passing(error):
        return away_text(error)
    code = error_code(error)
    said = redact(str(error.orig.args[-1]) if error.orig and error.orig.args else "")
    if code in ACCESS_DENIED or any(part in said for part in SQLITE_REFUSED):
        return f"데이터베이스가 거부합니다: {said}. [database] 설정과 권한(sql/grants.sql)을 고치세요"
    if code in NOT_INSTALLED or any(part in said for part in SQLITE_NOT_INSTALLED):
        return f"테이블, 뷰 또는 열이 없습니다: {said}. `jeonggi setup` 을 실행하세요"
    return None


def last_line(code: int) -> str:
    """Say which exit code it is and what to do."""
    return f"종료 {code}: {MEANINGS[code]}"
