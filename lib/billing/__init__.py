"""Floor 0: the rules. Pure functions and dataclasses; no I/O, no clock."""
