"""What a write would give, and which later values hang on that: nobody knows them before it is written.

May use the language, the kinds of step, documents and what runs gave; knows no row of a preview. Begin with
`predicted.py`, then `prediction.py`.
"""
