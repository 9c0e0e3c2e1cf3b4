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


@click.command()
@click.option("--database", type=click.Choice(["sqlite", "mariadb"]), default="sqlite")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,))
@click.option("--subscriptions", type=int, default=200)
@click.option("--days", type=int, default=400)
@click.option("--brief", is_flag=True, help="Print the differences only.")
def main(database: str, seeds: tuple[int, ...], subscriptions: int, days: int, brief: bool) -> None:
    """Live a life for each seed; 1 at the end: the jobs and the model differed."""
    is_different = False
    for seed in seeds:
        began = monotonic()
        with _rig(database) as rig:
            life, found = live_from_seed(rig, seed, subscriptions, days)
            lived = f"{subscriptions} subscriptions, {days} days, {monotonic() - began:.0f} s"
            click.echo(f"\nseed {seed}, {database}, {lived}")
            _tell(rig, life, found, brief=brief)
            if found:
                rig.broken_on_purpose = {line.partition(":")[0] for line in rig.invariants()}
        is_different |= bool(found)
    sys.exit(is_different)


def _tell(rig: Rig, life: Life, found: list[str], *, brief: bool) -> None:
    """Print the ledger and, where there are any, the first differences and what came before them."""
    if not brief:
        click.echo(str(life.policy))
        accounts = ledger.account_of_jobs(rig), ledger.account_of_model(life.model)
        click.echo("\n".join(ledger.lines(*accounts)))
    click.echo(f"differences: {max(0, len(found) - 1):,}")
    if found:
        click.echo("\n".join([life.told(), *found[: TOLD + 1]]))


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
