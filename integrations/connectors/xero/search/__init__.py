"""Finding records. Text that people enter is never put into Xero's filter language.

May use the client and nothing else of the connector. Begin with `contacts.py`.
"""
