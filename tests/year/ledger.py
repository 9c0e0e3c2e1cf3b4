"""The printed account of a life: what the jobs did, what the model says they should have done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.model import Model
from tests.rig import Rig
from tests.year import reading
from tests.year.comparison import EVER

Account = Counter[str]
WIDTHS = (44, 14)


def account_of_jobs(rig: Rig) -> Account:
    """Add up what the database holds."""
    found: Account = Counter()
    for row in reading.read_rounds(rig, EVER).values():
        found[f"rounds {row['state']}"] += 1
        found["won charged"] += _number(row["amount_krw"]) if row["state"] == "paid" else 0
    found["orders"] = len(reading.read_orders(rig))
    for row in reading.read_attempts(rig, EVER).values():
        found[f"attempts {row['state']}"] += 1
    for key, row in reading.read_messages(rig, EVER).items():
        found[f"{_name(key)} {row['state']}"] += 1
        found[f"{key[3]} credits debited"] += _number(row["debited"])
        found[f"{key[3]} credits refunded"] += _number(row["refunded"])
    return found


def account_of_model(model: Model) -> Account:
    """Add up what the model holds."""
    found: Account = Counter()
    for each in model.rounds.values():
        found[f"rounds {each.state}"] += 1
        found["won charged"] += each.amount_krw if each.state == "paid" else 0
        found.update(f"attempts {outcome}" for _, outcome in each.attempts)
    found["orders"] = len(model.town.orders)
    for key, message in model.messages.items():
        found[f"{_name(key)} {message.state}"] += 1
        found[f"{key[3]} credits debited"] += message.units if message.debited else 0
        found[f"{key[3]} credits refunded"] += message.units if message.refunded else 0
    return found


def _number(value: object) -> int:
    return int(str(value))


def _name(key: Iterable[str]) -> str:
    kind, _, recipient, channel = key
    return f"{channel} {kind} {recipient}"


def lines(jobs: Account, model: Account) -> Iterator[str]:
    """Write both accounts side by side."""
    wide, narrow = WIDTHS
    yield f"{'':{wide}}{'jobs':>{narrow}}{'model':>{narrow}}{'difference':>{narrow}}"
    for name in sorted({*jobs, *model}):
        figures = (jobs[name], model[name], jobs[name] - model[name])
        yield f"{name:{wide}}" + "".join(f"{figure:>{narrow},}" for figure in figures)


def totals(jobs: Account, fired: Account) -> Iterator[str]:
    """Say in a line how much was done, and how many faults fell on it."""
    yield f"{sum(number for name, number in jobs.items() if name.startswith('rounds ')):,} rounds"
    yield f"{jobs['won charged']:,} won charged"
    yield f"{fired.total():,} faults"
