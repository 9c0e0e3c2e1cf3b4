"""Charging: claim, send, record; settle what earlier runs left open; write the shop's order."""
