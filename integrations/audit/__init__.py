"""The audit trail: who did what, when, from where and why, in chains that show every later change.

May use `core` and the models. Begin with `record.py`, then `chain.py`; people read it through `search.py` and
`entry_rows.py`.
"""
