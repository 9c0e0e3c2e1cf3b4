"""Small errors put into a copy of the rules, each of which a short life must tell from the model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("jobs", "sql", "tests")
SECONDS = 120


@dataclass(frozen=True)
class Mutation:
    """A line of `lib/billing`, or its telling part, replaced by another, and the life that shows it."""

    name: str
    file: str
    line: str
    mutated: str
    seed: int = 1
    subscriptions: int = 16
    days: int = 25


MUTATIONS = (
    Mutation(
        "half a cycle is far enough",
        "calendar.py",
        "is_far_enough = 2 * (following - delivery_on) > following - previous",
        "is_far_enough = 2 * (following - delivery_on) >= following - previous",
    ),
    Mutation(
        "a month ends a day early",
        "calendar.py",
        "return date(year, month + 1, min(start.day, last_day))",
        "return date(year, month + 1, min(start.day, last_day - 1))",
    ),
    Mutation(
        "a late notice does not put the charge off",
        "calendar.py",
        "charge_on = max(delivery_on - timedelta(days=charge_days_before), announced_on + DAY)",
        "charge_on = delivery_on - timedelta(days=charge_days_before)",
    ),
    Mutation(
        "a percentage is rounded",
        "invoice.py",
        "return line.full_amount * step // 100",
        "return round(line.full_amount * step / 100)",
        seed=2,
    ),
    Mutation(
        "a threshold must be passed",
        "invoice.py",
        "if setting is None or sums[setting.setting_no] < (setting.threshold or 0):",
        "if setting is None or sums[setting.setting_no] <= (setting.threshold or 0):",
        seed=5,
    ),
    Mutation(
        "the region fee is never waived",
        "invoice.py",
        'region = 0 if waives_region or all(line.shipping == "collect" for line in lines) else region_fee',
        'region = 0 if all(line.shipping == "collect" for line in lines) else region_fee',
    ),
    Mutation(
        "a consent lasts a day longer",
        "invoice.py",
        "CONSENT_DAYS_MAX = 30",
        "CONSENT_DAYS_MAX = 31",
        seed=10,
        subscriptions=40,
    ),
    Mutation(
        "a step begins a round later",
        "invoice.py",
        "_, discount = max((step for step in setting.steps if step[0] <= round_no), default=(0, 0))",
        "_, discount = max((step for step in setting.steps if step[0] < round_no), default=(0, 0))",
    ),
    Mutation(
        "a declined card is tried again in the same slot",
        "dunning.py",
        "coming = min((slot for slot in slots if slot > after), default=None)",
        "coming = min((slot for slot in slots if slot >= after), default=None)",
    ),
    Mutation(
        "the backup card comes first",
        "dunning.py",
        "return next((card for card in cards if card not in hard_declined",
        "return next((card for card in cards[::-1] if card not in hard_declined",
    ),
)


def apply(mutation: Mutation, folder: Path) -> None:
    """Make a checkout in a folder whose rules have the error; ValueError where the line is not there once."""
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    path = folder / "lib" / "billing" / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.line) != 1:
        raise ValueError(f"{mutation.file} does not have this line once: {mutation.line}")
    path.write_text(text.replace(mutation.line, mutation.mutated), encoding="utf-8")


def differences(mutation: Mutation, folder: Path) -> list[str]:
    """Live a short life in a checkout of its own and return the differences that it told."""
    command = [sys.executable, "-m", "tests.year", "--brief"]
    command += [
        f"--seed={mutation.seed}",
        f"--subscriptions={mutation.subscriptions}",
        f"--days={mutation.days}",
    ]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode in {0, 1}, ended.stderr
    return [line for line in ended.stdout.splitlines() if ": model " in line or ": only in " in line]
