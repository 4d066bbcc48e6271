"""A local stand-in for Pinterest and Xero: its own process, its own settings, its own database file.

It imitates the providers' documentation and published descriptions, keeps a ledger of every request as an outside
witness, and can be made to misbehave. It imports nothing from the product, and the product nothing from it: they
communicate over HTTP only, as with the real providers.

Uses nothing of the product. Begin with `urls.py`, then `exchange/exchange.py`.
"""
