"""The only package that opens sockets to providers: calls, tokens, call budgets, locks, safe fetching.

May use `core`, `schema` and the models; imports no connector. Begin with `http.py`.
"""
