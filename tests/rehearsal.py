"""A rehearsal for CI: `ops setup` on a generated shop, then every job twice, as cron would start it.

`python -m tests.rehearsal [SUBSCRIPTIONS]` prints a line a run; 1 at the end: a second run changed something.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

from lib.sandbox import shops
from lib.sandbox.recipe import Recipe
from tests import mariadb
from tests.homes import drop_pair, make_pair
from tests.rig import Rig, Run, bench
from tests.shopkeeper import terminate_contract

FIRST_DAY = date(2026, 12, 4)
SUBSCRIPTIONS = 300


def main() -> None:
    """Rehearse on a private MariaDB, or on the one that is named."""
    size = int(sys.argv[1]) if sys.argv[1:] else SUBSCRIPTIONS
    try:
        with mariadb.server() as server, tempfile.TemporaryDirectory(prefix="jeonggi-rehearsal-") as folder:
            home = make_pair(server, "rehearsal")
            with bench(home, Path(folder)) as rig:
                changed = _rehearse(rig, size)
            drop_pair(server, home)
    except mariadb.NoServerError as error:
        sys.exit(str(error))
    sys.exit("a second run changed something" if changed else 0)


def _rehearse(rig: Rig, size: int) -> bool:
    recipe = Recipe(first_day=FIRST_DAY, days=7, subscriptions=size)
    with rig.home.shop.begin() as connection:
        shops.load(connection, recipe)
    rig.config()
    _say(rig.run("ops", "setup").stdout.rstrip())
    rig.remember_credits()
    notice, charge = FIRST_DAY - timedelta(days=2), FIRST_DAY - timedelta(days=1)
    changed = [
        _twice(rig, "notify_d2", f"{notice}T09:00"),
        _twice(rig, "charge_d1", f"{charge}T10:00"),
    ]
    terminate_contract(rig, at=datetime.combine(FIRST_DAY, time(9)))
    return any([*changed, _twice(rig, "reset_pg", f"{FIRST_DAY}T09:30")])


def _twice(rig: Rig, job: str, as_of: str) -> bool:
    """Run a job two times for the same moment and tell whether the second run changed any table."""
    _say(_line(job, rig.run(job, "--as-of", as_of, check=None)))
    before = rig.checksums()
    _say(_line(job, rig.run(job, "--as-of", as_of, check=None)))
    changed = [table for table, checksum in rig.checksums().items() if checksum != before[table]]
    _say(f"  changed by the second run: {', '.join(changed) or 'nothing'}")
    return bool(changed)


def _line(job: str, ended: Run) -> str:
    """Say how a run ended; what is due for a person (1) is no failure of a rehearsal, anything above is."""
    if ended.exit_code > 1:
        sys.exit(f"{job} ended with {ended.exit_code}\n{ended.stdout}\n{ended.stderr}")
    counts = ", ".join(f"{name} {number}" for name, number in ended.counts.items() if number)
    return f"{job}: exit {ended.exit_code}; {counts or 'nothing to do'}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 this is a command of its own


if __name__ == "__main__":
    main()
