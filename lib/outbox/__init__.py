"""The outbox: queue; claim and debit; deliver; record."""
