"""Documents with lines: invoices, bills, quotes, orders, credit notes; their rules, totals, files and history.

May use the rest of the sandbox's Xero. Begin with `rules.py`, then `invoices.py`.
"""
