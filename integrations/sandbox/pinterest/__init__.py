"""Pinterest's side of the sandbox: boards, sections and pins.

May use `exchange` and the sandbox's models. Begin with `views.py`.
"""
