"""What happens when: definitions, triggers, publishing, the engine, runs, and their pages.

May use `integrations`, and names no connector. Begin with `models/`, then follow a pin through docs/architecture.md.
"""
