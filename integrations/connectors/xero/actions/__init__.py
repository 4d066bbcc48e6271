"""What Pinxero does at Xero, apart from documents: contacts, items, money, projects, lists, reports, and undoing.

May use `fields`, `search`, `samples` and the client. Begin with `contacts.py`; documents have their own room inside.
"""
