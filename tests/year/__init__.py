"""A random shop lives for weeks or a year against the jobs and against the model; both must agree.

`python -m tests.year` prints a ledger; `tests/test_weeks.py` lives short lives of small shops. With
`--faults` most runs of the jobs are struck and run again: money and credits still equal those of the model,
which knows of no fault but a neighbour that is away for days.
"""
