"""A connector whose provider does exactly what a test tells it, for the engine's decisions one by one.

The whole way against a provider that behaves is tested with the sandbox; here each answer is put in by hand.
"""
