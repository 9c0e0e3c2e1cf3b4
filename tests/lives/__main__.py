"""Plays the five lives on SQLite and prints what `ops show` says after each step."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.homes import make_file
from tests.lives.stories import LIVES
from tests.lives.telling import ID, Life, in_short
from tests.ops.desk import text
from tests.rig import bench


def main() -> None:
    """Print in short, or with `--full` all of it."""
    for life in LIVES:
        _play(life, is_full="--full" in sys.argv[1:])


def _play(life: Life, *, is_full: bool) -> None:
    print(f"\n# {life.title}")  # noqa: T201 a command of the tests
    with tempfile.TemporaryDirectory(prefix="jeonggi-life-") as folder:
        home = make_file(Path(folder) / "shop.db")
        home.install()
        with bench(home, Path(folder)) as rig:
            rig.config()
            life.begin(rig)
            for step in life.steps:
                step.act(rig, step.at)
                whole = text(rig, "show", ID) if is_full else " | ".join(in_short(rig))
                print(f"{step.at}  {step.what}\n    {whole}")  # noqa: T201 as above
        home.close()


if __name__ == "__main__":
    main()
