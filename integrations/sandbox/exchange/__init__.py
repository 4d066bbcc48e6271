"""One API request from arrival to ledger row: server, clock, faults, limits, idempotency, effect, record.

May use the sandbox's models. Begin with `exchange.py`; `fault_dial.py` sets how it misbehaves.
"""
