"""The books: payments and transfers, bank transactions, the journal, and the reports made from it.

May use the sandbox's documents. Begin with `journal.py`.
"""
