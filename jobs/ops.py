"""정기배송 운영: 설치, 점검, 신청내역 조회, 이용현황, 확인할 일의 정리, 미리보기, 시연."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from lib import checking, installing, settings
from lib.billing import texts
from lib.clock import Clock
from lib.command import CONFIGURATION, USAGE, JobCommand, Options, Told, UsageError, exit_code, now, reporting
from lib.command.options import as_of, read_address
from lib.facts import Kind
from lib.matters import Matters
from lib.preview import preview
from lib.report import findings
from lib.report.ahead import overview
from lib.report.doubts import doubts
from lib.report.life import life
from lib.report.listing import listing
from lib.report.matters import close_by_hand
from lib.report.service import service
from lib.report.table import print_lines, print_sections
from lib.report.wanted import FilterError, Wanted
from lib.run import Run
from lib.settings import ConfigurationError
from lib.settling import VERBS, Impossible, Settled, Word, settle, settle_message
from lib.settling.case import readable, word_fault
from lib.store import Store

F = TypeVar("F", bound=Callable[..., Any])
DATE = click.DateTime(["%Y-%m-%d"])
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Ops(click.Group):
    """Commands whose wrong usage ends as that of a job does."""

    command_class = JobCommand


def shared(command: F) -> F:
    """Add the options that every command has; they may also stand before the command's name."""
    config = click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="설정 파일")
    as_json = click.option("--json", "as_json", is_flag=True, help="JSON 한 줄로 출력")
    return config(as_json(command))


def timed(command: F) -> F:
    """Add the moment that a command stands on."""
    return shared(click.option("--as-of", metavar="YYYY-MM-DD[THH:MM]", help="이 시각을 기준으로")(command))


@click.group(cls=Ops, help=__doc__, epilog="예: jeonggi list --by charge --from 2026-12-01")
@shared
@click.pass_context
def main(context: click.Context, config: Path | None, as_json: bool) -> None:
    """Take the shared options that stand before the command's name."""
    context.obj = Options(config=config, as_json=as_json)


def given(config: Path | None, as_json: bool, as_of: str | None = None) -> Options:
    """Return the shared options, wherever they stand."""
    before: Options = click.get_current_context().obj
    return replace(before, config=config or before.config, as_json=as_json or before.as_json, as_of=as_of)


@contextmanager
def opened(options: Options, *, changes: bool = False) -> Iterator[tuple[Told, Run]]:
    """Open the database for one command and end with its exit code; `changes`: only where it was set up."""
    with reporting(options) as told:
        configured = settings.load(options.config)
        moment = as_of(replace(options, dry_run=not changes), configured)
        store = Store(configured)
        try:
            fault = store.transaction(lambda tx: installing.verify(tx, configured)) if changes else None
            if fault:
                raise ConfigurationError(fault)
            yield told, Run(configured, store, Clock(moment, configured.shop.timezone), Matters(0))
        finally:
            store.close()


def refuse(told: Told, why: str) -> None:
    """Say in one line why nothing was done."""
    told.code = USAGE
    click.echo(why, err=True)


@main.command(epilog="예: jeonggi setup --database-url env:SETUP_DATABASE_URL")
@shared
@click.option("--adopt", is_flag=True, help="다른 곳에서 설치된 사본을 이곳의 것으로 삼음")
@click.option("--database-url", metavar="env:NAME|URL", callback=read_address, help="테이블을 만드는 사용자")
def setup(config: Path | None, as_json: bool, adopt: bool, database_url: str | None) -> None:
    """설치: 테이블과 뷰를 만들고 이 쇼핑몰을 등록합니다. 여러 번 실행해도 됩니다."""
    options = given(config, as_json)
    with reporting(options):
        configured = settings.load(options.config)
        store = Store(configured, url=database_url)
        try:
            done = installing.install(store, configured, adopt=adopt)
        except installing.SchemaError as error:
            raise ConfigurationError(str(error)) from None
        finally:
            store.close()
        print_lines("한 일", done, as_json=options.as_json)


def read_age(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    """Read 90m, 26h or 2d."""
    if value is None:
        return None
    number, unit = value[:-1], UNITS.get(value[-1:])
    if unit is None or not (number.isascii() and number.isdecimal()):
        raise click.BadParameter("90m, 26h, 2d 처럼 적으세요")
    return timedelta(**{unit: int(number)})


@main.command(epilog="예: jeonggi check --invariants --fresh 26h")
@shared
@click.option("--invariants", is_flag=True, help="장부가 맞는지도 확인")
@click.option("--fresh", metavar="26h", callback=read_age, help="작업이 이 시간 안에 정상으로 끝났는지")
def check(config: Path | None, as_json: bool, invariants: bool, fresh: timedelta | None) -> None:
    """점검: 설정, 데이터베이스, 권한, 발신번호를 확인합니다. 하나라도 문제면 종료 코드 78."""
    options = given(config, as_json)
    with reporting(options) as told:
        configured = settings.load(options.config)
        store = Store(configured)
        try:
            found = checking.check(configured, store)
            if (invariants or fresh) and findings.is_readable(store):
                found += findings.deeper(store, now(), invariants=invariants, longest=fresh)
        finally:
            store.close()
        print_sections([findings.section(found)], as_json=options.as_json)
        told.code = 0 if all(one.ok for one in found) else CONFIGURATION


@main.command("list", epilog="예: jeonggi list --by charge --from 2026-12-01 --to 2026-12-07 --state U")
@timed
@click.option(
    "--by",
    type=click.Choice(["applied", "charge", "cancelled"]),
    help="기간의 기준: 신청일, 결제예정일, 해지일",
)
@click.option("--from", "since", type=DATE, metavar="YYYY-MM-DD", help="기간의 첫날")
@click.option("--to", "until", type=DATE, metavar="YYYY-MM-DD", help="기간의 마지막 날")
@click.option("--state", metavar="STATE", help="U 이용중, P 일시정지, C 해지 (--rounds 에서는 회차 상태)")
@click.option("--member", metavar="ID", help="회원 아이디")
@click.option("--product", metavar="NO|NAME", help="상품번호 또는 상품명의 일부")
@click.option("--cycle", metavar="1M", help="배송주기")
@click.option("--rounds", is_flag=True, help="신청 대신 기간의 회차를 조회 (기준: 배송예정일)")
@click.option("--limit", type=click.IntRange(min=0), default=0, metavar="N", help="N건까지만 (기본: 모두)")
def list_(config: Path | None, as_json: bool, as_of: str | None, **filters: Any) -> None:  # noqa: ANN401 Wanted's
    """신청내역 조회."""
    options = given(config, as_json, as_of)
    with opened(options) as (_, run):
        days = {key: filters[key] and filters[key].date() for key in ("since", "until")}
        try:
            found = listing(run.store, Wanted(**{**filters, **days}), run.clock.today)
        except FilterError as error:
            raise UsageError(str(error)) from None
        print_sections([found], as_json=options.as_json)


@main.command(epilog="예: jeonggi show S-20261101-0000012")
@timed
@click.argument("wanted", metavar="ID")
def show(config: Path | None, as_json: bool, as_of: str | None, wanted: str) -> None:
    """신청 하나의 모든 기록. ID 는 신청번호, 회차번호 또는 주문번호."""
    options = given(config, as_json, as_of)
    with opened(options) as (told, run):
        sections = life(run.store, run.clock, wanted)
        if not sections:
            refuse(told, f"{texts.clean(wanted)}: 그런 신청번호, 회차번호, 주문번호가 없습니다")
            return
        print_sections(sections, as_json=options.as_json)


@main.command("service", epilog="예: jeonggi service --json")
@timed
def service_(config: Path | None, as_json: bool, as_of: str | None) -> None:
    """이용현황: PG 계약, 서비스 상태, 카드와 신청 수, 발송 건수, 작업 실행."""
    options = given(config, as_json, as_of)
    with opened(options) as (_, run):
        print_sections(service(run), as_json=options.as_json)


@main.command(epilog="예: jeonggi report --doubts")
@timed
@click.option("--doubts", "is_doubts", is_flag=True, help="결과를 모르는 결제·메시지와 보류된 회차를 자세히")
@click.option("--close", "closed", type=int, multiple=True, metavar="NO", help="확인을 마친 일을 닫음")
def report(config: Path | None, as_json: bool, as_of: str | None, **asked: Any) -> None:  # noqa: ANN401 flags
    """사람이 확인할 일과 그 방법, 앞으로 배송할 회차의 제외 상품, 오른 가격, 건너뛴 회차."""
    options = given(config, as_json, as_of)
    with opened(options, changes=bool(asked["closed"])) as (told, run):
        for why in close_by_hand(run.store, asked["closed"], run.clock.now()):
            refuse(told, why)
        sections = doubts(run.store, run.clock) if asked["is_doubts"] else overview(run.store, run.clock)
        print_sections(sections, as_json=options.as_json)


def verbs(command: F) -> F:
    """Add a flag for each way to settle."""
    for name, said in reversed(WAYS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=said)(command)
    return command


WAYS = {
    "approved": "PG에 승인이 있음 (--tid 필요)",
    "not_charged": "PG에 승인이 없음 (없거나, 실패했거나, 전액 취소됨)",
    "cancelled": "PG에서 승인을 취소했음",
    "paid": "보류된 회차를 결제완료로",
    "due": "보류된 회차를 다시 결제",
    "failed": "보류된 회차를 결제실패로",
    "void": "보류된 회차를 취소",
    "accepted": "메시지가 발송되었음 (--message 와 함께)",
    "refused": "메시지가 발송되지 않았음 (--message 와 함께)",
}


@main.command("settle", epilog="예: jeonggi settle J1…01 --not-charged --by 김운영 --evidence 'PG에 없음'")
@timed
@click.argument("target", metavar="[ORDER_NO|ROUND_ID]", required=False)
@verbs
@click.option("--message", type=int, metavar="NO", help="결과를 모르는 메시지의 번호")
@click.option("--tid", default="", metavar="TID", help="PG의 거래번호")
@click.option("--order", "order_id", default="", metavar="ID", help="쇼핑몰에 있는 주문번호 (--paid 와 함께)")
@click.option("--by", required=True, metavar="NAME", help="확인한 사람")
@click.option("--evidence", required=True, metavar="TEXT", help="무엇을 어디서 확인했는지")
def settle_(config: Path | None, as_json: bool, as_of: str | None, **said: Any) -> None:  # noqa: ANN401 flags
    """결과를 모르거나 보류된 것을 사람이 확인한 대로 정리합니다."""
    options = given(config, as_json, as_of)
    verb = check_word(said)
    word = Word(readable(said["by"]), readable(said["evidence"]), said["tid"], said["order_id"])
    if fault := word_fault(verb, word):
        raise UsageError(fault)
    with opened(options, changes=True) as (told, run):
        if said["message"] is None:
            work = partial(settle, run, verb, said["target"], word)  # type: ignore[arg-type]
        else:
            work = partial(settle_message, run, said["message"], word, is_accepted=verb == "accepted")
        answer = run.store.transaction(work)
        told.code = exit_code(run)
        match answer:
            case Impossible(why):
                refuse(told, why)
            case Settled(done):
                print_lines("정리", [done], as_json=options.as_json)


def check_word(said: dict[str, Any]) -> str:
    """Return the one way that was chosen; raises UsageError where the options do not fit together."""
    chosen = [name for name in WAYS if said[name]]
    if len(chosen) != 1:
        raise UsageError(f"하나만 고르세요: {', '.join('--' + name.replace('_', '-') for name in WAYS)}")
    verb = chosen[0]
    is_message = said["message"] is not None
    if (is_message, said["target"] is None) != (verb not in VERBS, verb not in VERBS):
        raise UsageError("주문번호·회차번호는 결제에, --message 는 --accepted·--refused 와 함께 씁니다")
    return verb


@main.command("preview", epilog="예: jeonggi preview payment_notice --out 미리보기")
@shared
@click.argument("kind", type=click.Choice(get_args(Kind)))
@click.option("--out", type=click.Path(path_type=Path), default=Path("preview"), help="파일을 쓸 폴더")
def preview_(config: Path | None, as_json: bool, kind: Kind, out: Path) -> None:
    """메시지 미리보기: 보기 자료로 메일과 SMS를 파일에 씁니다."""
    options = given(config, as_json)
    with reporting(options):
        paths = preview(kind, out, settings.load(options.config).paths.templates)
        print_lines("파일", map(str, paths), as_json=options.as_json)


@main.command(epilog="예: jeonggi demo --serve")
@click.option("--serve", is_flag=True, help="끝난 뒤에도 시뮬레이터를 켜 둠 (Ctrl-C 로 끝냄)")
def demo(serve: bool) -> None:
    """시연: 시뮬레이터로 열흘을 돌려 봅니다. 데이터베이스도 PG도 필요하지 않습니다."""
    command = [sys.executable, "-m", "lib.sandbox.demo", *(["--serve"] if serve else [])]
    # In place of this process: its output, its signals and its exit code are the demo's own.
    os.execv(sys.executable, command)  # noqa: S606 our own interpreter and module, no shell


if __name__ == "__main__":
    main()
