"""What starts a workflow without a provider: the clock, a URL, a person, a file, a program, a workflow.

May use `framework`, `schema`, `core`. Begin with `triggers.py`.
"""
