"""Ten days of a subscription shop in a minute: `python -m lib.sandbox.demo`.

A generated shop in a SQLite file, simulated PG, SMS provider and mail server on loopback, and the real jobs,
each a process of its own as cron would start it, at the crontab's times of simulated days. At the end
everything is held against everything else; exit 1 if anything does not hold, 2 where it could not begin.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from time import monotonic

from lib.sandbox import Ports
from lib.sandbox.demo_ledger import faults, figures
from lib.sandbox.demo_mails import samples, write_readable
from lib.sandbox.demo_paper import Paper
from lib.sandbox.demo_stage import NotADemoError, Places, Stage
from lib.sandbox.demo_town import Town

ROOT = Path(__file__).resolve().parents[2]
FIRST_DAY = date(2026, 12, 1)
SERVED = Ports(toss=18101, solapi=18102, smtp=18103, control=18104)
FEWEST_DAYS = 4
DAYS_TO_GO_ON = 7
_WELL = (0, 1)
_INTERRUPTED = 130

Happening = Callable[[datetime], str | None]


class Story:
    """The days of the shop, told as they pass."""

    def __init__(self, stage: Stage, paper: Paper, days: int, *, keeps_pg: bool) -> None:
        self._stage = stage
        self._paper = paper
        self._days = days
        self._pg_changes_on = None if keeps_pg else days - 1
        self._town = Town(stage)
        self._happened: set[Happening] = set()
        self.failed_runs: list[str] = []
        """The runs that ended neither well nor with something for a person to look at."""

    def tell(self) -> None:
        """Live through all days."""
        for number in range(1, self._days + 1):
            day = FIRST_DAY + timedelta(days=number - 1)
            self._paper.day(number, day)
            for clock, step in self._agenda(number):
                step(datetime.combine(day, clock))

    def _agenda(self, number: int) -> Iterator[tuple[time, Callable[[datetime], None]]]:
        """Yield what the crontab starts and what may happen on a day; the first has nothing to charge yet."""
        town = self._town
        if number == FEWEST_DAYS - 1:
            yield time(8, 50), self._job("reset_pg")
        yield time(9), self._job("notify_d2")
        if number > 1:
            yield time(9, 59), self._once(town.lose_a_reply)
            yield time(10), self._job("charge_d1")
            yield time(12, 30), self._once(town.change_card)
        yield time(14, 10), self._once(town.cancel_item)
        yield time(14, 40), self._once(town.cancel_subscription)
        if number == self._pg_changes_on:
            yield time(15), self._once(town.change_pg)
            yield time(15, 10), self._job("reset_pg")
        if number > 1:
            yield time(17), self._job("charge_d1")
            yield time(17, 1), self._once(town.find_the_reply)

    def _once(self, happening: Happening) -> Callable[[datetime], None]:
        """Return a step that lets something happen on the first day it can, and on no other."""

        def step(at: datetime) -> None:
            sentence = None if happening in self._happened else happening(at)
            if sentence:
                self._happened.add(happening)
                self._paper.event(at, sentence)

        return step

    def _job(self, job: str) -> Callable[[datetime], None]:
        return lambda at: self._run(job, at)

    def _run(self, job: str, at: datetime) -> None:
        self._stage.set_clock(at)
        ended = subprocess.run(  # noqa: S603 - our own program and our own arguments
            command(self._stage.places.config, job, at),
            cwd=ROOT,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        is_well = ended.returncode in _WELL
        self._paper.run(at, ended.stdout.strip(), ended.stderr.splitlines(), is_well=is_well)
        if not is_well:
            self.failed_runs.append(f"{job} {at:%m-%d %H:%M}: 종료 {ended.returncode}")


def command(config: Path, job: str, at: datetime) -> list[str]:
    """Return how cron would start a job, but at a simulated time."""
    return [
        sys.executable,
        "-m",
        f"jobs.{job}",
        "--config",
        str(config),
        "--as-of",
        f"{at:%Y-%m-%dT%H:%M}",
    ]


def _shown(path: Path) -> str:
    """Return a path as it is typed from where we are."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _program(name: str) -> str:
    """Return an installed command beside this Python, or the module that it starts."""
    beside = Path(sys.executable).parent / name
    module = "ops" if name == "jeonggi" else name.replace("-", "_")
    return _shown(beside) if beside.exists() else f"{_shown(Path(sys.executable))} -m jobs.{module}"


def _close(stage: Stage, paper: Paper, failed_runs: list[str]) -> bool:
    """Print the ledger and whether everything holds; return it."""
    paper.heading("결산")
    paper.figures(figures(stage))
    found = [*failed_runs, *faults(stage)]
    paper.heading("확인")
    if found:
        paper.say(*(f"✗ {one}" for one in found), style="bold red")
    else:
        paper.say(
            "✓ 불변식이 모두 성립합니다(이중 결제 없음, 안내한 금액만 결제, 건수 이중 차감 없음).",
            "✓ PG의 승인 기록과 우리 장부가 한 건씩 서로 맞습니다.",
            "✓ 보낸 메일·문자와 차감한 건수가 서버가 받은 것, 남은 건수와 맞습니다.",
            style="green",
        )
    return not found


def _where_to_look(stage: Stage, paper: Paper) -> None:
    names = write_readable(stage)
    config = _shown(stage.places.config)
    paper.heading("볼 곳")
    paper.exactly(
        f"폴더        {_shown(stage.places.folder)}/  (mails/*.eml, mails/html, mails/txt, books)",
        *(f"파일        {_shown(path)}" for path in samples(stage, names)),
        f"신청내역    {_program('jeonggi')} list --config {config}",
    )


def _serve(stage: Stage, paper: Paper, days: int) -> None:
    """Keep the simulators running until Ctrl-C, and say what to try with them."""
    sandbox, config = stage.sandbox, _shown(stage.places.config)
    tomorrow = FIRST_DAY + timedelta(days=days)
    on, shop = f"--config {config} --as-of {tomorrow:%Y-%m-%d}", stage.recipe.shop_name
    paper.heading("모의 서버가 켜져 있습니다 (끝내기: Ctrl-C)")
    paper.exactly(
        f"토스페이먼츠 {sandbox.toss.url}   SOLAPI {sandbox.solapi.url}",
        f"메일 {sandbox.smtp.url}   제어 {sandbox.control.url}",
        "",
        "다음 날을 이어서 살아 보기 (같은 명령을 다시 실행해도 아무것도 두 번 하지 않습니다):",
        f"{_program('notify-d2')} {on}T09:00",
        f"{_program('charge-d1')} {on}T10:00",
        "PG를 초기화하기 (먼저 --dry-run 을 붙여 보세요):",
        f"{_program('reset-pg')} {on}T15:00 --pg {stage.recipe.pg_code} --confirm {shop} --reason 체험",
        "PG가 승인한 결제:",
        f"curl -s {sandbox.control.url}/approvals",
    )
    over = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    write_readable(stage)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.sandbox.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "demo", metavar="DIR", help="기본: demo/")
    parser.add_argument("--serve", action="store_true", help="끝난 뒤 모의 서버를 켜 둠 (PG는 바꾸지 않음)")
    parser.add_argument("--days", type=int, default=10, metavar="N", help=f"{FEWEST_DAYS}일부터 (기본 10)")
    parser.add_argument("--subscriptions", type=int, default=300, metavar="N", help="신청 건수 (기본 300)")
    options = parser.parse_args(argv)
    if options.days < FEWEST_DAYS or options.subscriptions < 1:
        parser.error(f"--days {FEWEST_DAYS} 이상, --subscriptions 1 이상이어야 합니다")
    return options


def _play(options: argparse.Namespace, paper: Paper) -> int:
    began = monotonic()
    places = Places(options.folder.resolve())
    places.clear()
    # Whoever goes on by hand shall find something due.
    ports, days_ahead = (SERVED, DAYS_TO_GO_ON) if options.serve else (Ports(), 0)
    with Stage(places, FIRST_DAY, options.subscriptions, options.days + days_ahead, ports) as stage:
        paper.say(
            f"{stage.recipe.shop_name}: 신청 {options.subscriptions:,}건을 만들었습니다. "
            f"{options.days}일 동안 crontab의 시각마다 작업을 실제 프로세스로 실행합니다.",
            "결제·문자·메일은 모의 서버가 받습니다. ▸ 는 그 사이에 쇼핑몰에서 생긴 일입니다.",
        )
        story = Story(stage, paper, options.days, keeps_pg=options.serve)
        story.tell()
        holds = _close(stage, paper, story.failed_runs)
        _where_to_look(stage, paper)
        paper.say(f"걸린 시간 {monotonic() - began:.0f}초")
        if options.serve:
            _serve(stage, paper, options.days)
    return 0 if holds else 1


def main(argv: list[str]) -> int:
    """Play the demo and return its exit code."""
    options, paper = _arguments(argv), Paper()
    try:
        return _play(options, paper)
    except (NotADemoError, OSError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        paper.say(f"{'데모가 이미 켜져 있습니다: ' if taken else ''}{error}", style="bold red")
        return 2
    except KeyboardInterrupt:
        paper.say("", "중단했습니다.")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
