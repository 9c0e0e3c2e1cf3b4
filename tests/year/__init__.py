"""A random shop lives for weeks or a year against the jobs and against the model; both must agree.

`python -m tests.year` prints a ledger; `tests/test_weeks.py` lives short lives of small shops.
"""
