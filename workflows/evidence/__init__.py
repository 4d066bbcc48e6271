"""Evidence packs: everything known about runs and what they wrote as one ZIP, which can be checked without Pinxero.

May use `presenters` and what is below. Begin with `pack.py`; `check.py` is the script that goes into each pack.
"""
