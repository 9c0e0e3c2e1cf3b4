"""The bench: the three jobs, a plain script and the bare limits of the same machine, in one run."""

from __future__ import annotations

from datetime import date

DELIVERY_ON = date(2026, 12, 3)
"""Every round of the bench's shop is delivered on this day."""

DATABASE = "BENCH_DATABASE_URL"
"""The variable that tells a measured process where the jobs' schema is; arguments would show a password."""

PG_LATENCY_S = 0.05
"""How long the simulated PG takes over every request."""
