"""What Pinxero does at Pinterest: boards, sections, pins, and deleting them with a backup.

May use the rest of the connector. Begin with `boards.py`.
"""
