"""`/_sandbox/...`: inspect the sandbox, reset it, make it misbehave, add records by hand or from a test.

May use every room of the sandbox except its pages. Begin with `control.py`.
"""
