"""A local stand-in for Pinterest and Xero: its own process, its own settings, its own database file.

It imitates what the providers' documentation and published descriptions say, keeps a ledger of every request as an
outside witness, and can be told to misbehave. It imports nothing of the product, and the product nothing of it:
they meet over HTTP only, as with the real providers.
"""
