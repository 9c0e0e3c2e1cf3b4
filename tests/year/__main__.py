"""Lives a year and prints its ledger: `python -m tests.year --seed 1 --seed 2 --database mariadb`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import click

from tests import mariadb
from tests.homes import Home, drop_pair, make_file, make_pair
from tests.rig import Rig, bench
from tests.year import ledger
from tests.year.days import live_from_seed
from tests.year.life import Life

TOLD = 20
"""How many differences are printed."""
STRUCK = 0.7
"""The share of the runs that faults fall on; some fall beside everything that the run does."""


@click.command()
@click.option("--database", type=click.Choice(["sqlite", "mariadb"]), default="sqlite")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,))
@click.option("--subscriptions", type=int, default=200)
@click.option("--days", type=int, default=400)
@click.option("--faults", is_flag=True, help="Let faults fall on most runs of the jobs.")
@click.option("--brief", is_flag=True, help="Print the differences only.")
def main(
    database: str, seeds: tuple[int, ...], subscriptions: int, days: int, faults: bool, brief: bool
) -> None:
    """Live a life for each seed; 1 at the end: the jobs and the model differed, or an invariant broke."""
    is_different = False
    for seed in seeds:
        began = monotonic()
        with _rig(database) as rig:
            struck = STRUCK if faults else 0
            life, found = live_from_seed(rig, seed, subscriptions, days, struck=struck)
            lived = f"{subscriptions} subscriptions, {days} days, {monotonic() - began:.0f} s"
            click.echo(f"\nseed {seed}, {database}, {lived}")
            _tell(rig, life, found, brief=brief)
            if found or life.tally.violations:
                rig.broken_on_purpose = {line.partition(":")[0] for line in rig.invariants()}
        is_different |= bool(found or life.tally.violations)
    sys.exit(is_different)


def _tell(rig: Rig, life: Life, found: list[str], *, brief: bool) -> None:
    """Print the ledger and, where there are any, the first differences and what came before them."""
    accounts = ledger.account_of_jobs(rig), ledger.account_of_model(life.model)
    violations = [*life.tally.violations, *rig.invariants()]
    if not brief:
        click.echo(str(life.policy))
        click.echo("\n".join([*ledger.lines(*accounts), *life.tally.lines()]))
    click.echo(", ".join(ledger.totals(accounts[0], life.tally.fired)))
    click.echo(f"violations: {len(violations):,}, differences: {max(0, len(found) - 1):,}")
    if found or violations:
        click.echo("\n".join([life.told(), *violations[:TOLD], *found[: TOLD + 1]]))


@contextmanager
def _rig(database: str) -> Iterator[Rig]:
    with _home(database) as home, tempfile.TemporaryDirectory(prefix="jeonggi-year-") as folder:  # noqa: SIM117
        with bench(home, Path(folder)) as rig:
            yield rig


@contextmanager
def _home(database: str) -> Iterator[Home]:
    """Make an installed database, and clear it away."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory(prefix="jeonggi-year-") as folder:
            home = make_file(Path(folder) / "shop.db")
            home.install()
            yield home
            home.close()
        return
    with mariadb.server() as server:
        home = make_pair(server, "year")
        home.install()
        yield home
        drop_pair(server, home)


if __name__ == "__main__":
    main()
