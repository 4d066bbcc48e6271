"""The step protocol of writes: intent before the wire, and settling what got no clear answer.

May use the rest of the engine. Begin with `write_protocol.py`.
"""
