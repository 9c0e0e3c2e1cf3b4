"""How the demo looks: a hundred columns, a time on the left, Korean of double width wrapped where it fits."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from datetime import date, datetime

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lib.billing import texts

COLUMNS = 100
_TROUBLES_SHOWN = 3


class Paper:
    """Prints to stdout, line by line as things happen."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        terminal = Console()
        width = min(COLUMNS, terminal.width) if terminal.is_terminal else COLUMNS
        self._console = Console(width=width, highlight=False, markup=False, emoji=False)

    def say(self, *lines: str, style: str = "") -> None:
        """Print plain lines; long ones wrap."""
        for line in lines:
            self._console.print(Text(line, style))

    def exactly(self, *lines: str) -> None:
        """Print lines that are to be copied: they are never wrapped."""
        for line in lines:
            self._console.print(Text(f"  {line}"), soft_wrap=True)

    def heading(self, title: str) -> None:
        """Print a title with a rule behind it."""
        self._console.print()
        self._console.print(Rule(Text(title, "bold"), align="left", style="dim"))

    def day(self, number: int, day: date) -> None:
        """Begin a day of the story."""
        self.heading(f"{number}일째 · {texts.korean_date(day)}")

    def event(self, at: datetime, sentence: str) -> None:
        """Tell what happens between two runs."""
        self._timed(at, [Text(f"▸ {sentence}", "cyan")])

    def run(self, at: datetime, said: str, troubles: list[str], *, is_well: bool) -> None:
        """Print a run's own summary line, and the first few things a person must look at."""
        shown = [Text(line, "yellow") for line in troubles[:_TROUBLES_SHOWN]]
        if len(troubles) > len(shown):
            shown.append(Text(f"… 외 {len(troubles) - len(shown):,}줄", "yellow"))
        summary = [Text(said, "" if is_well else "bold red")] if said else []
        self._timed(at, [*summary, *shown])

    def _timed(self, at: datetime, lines: Iterable[Text]) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=5, style="bold")
        grid.add_column(overflow="fold")
        moment = f"{at:%H:%M}"
        for line in lines:
            grid.add_row(moment, line)
            moment = ""
        self._console.print(grid)

    def figures(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Print what, how much, and a remark."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column()
        grid.add_column(justify="right")
        grid.add_column(style="dim", overflow="fold")
        for what, figure, remark in rows:
            grid.add_row(Text(f"  {what}"), Text(figure), Text(remark))
        self._console.print(grid)
