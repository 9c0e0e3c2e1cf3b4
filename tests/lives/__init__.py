"""Five lives of a subscription, told day by day: what happened, and what `ops show` then says in short.

`python -m tests.lives` plays and prints them on SQLite; `--full` prints all that `ops show` says.
"""
