"""What everything is built on: errors, exact JSON, encryption, time, numbers and names as people write them.

Uses nothing of ours. Begin with `errors.py`: five errors, each named by what the engine does next.
"""
