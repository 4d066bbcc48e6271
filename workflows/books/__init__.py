"""The books: postings of what was written, found, added up and taken out as files.

May use `preview`, the engine and what is below. The engine calls it through `lease.RECORDERS`, which `apps.ready`
fills. Begin with `postings.py`.
"""
