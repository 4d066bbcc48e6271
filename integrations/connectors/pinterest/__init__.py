"""Pinterest: boards, sections and pins. One consent is one account.

May use `framework`, `schema`, `core`. Begin with `connector.py`; `actions/` writes, `triggers.py` notices.
"""
