"""Carrying out a change or reset of a PG (rule 12): events; drain; cancel; purge."""
