"""What can be talked to: teams and their connections, the vocabulary of operations, and the connectors themselves.

Knows nothing of workflows. Begin with `framework/base.py`, then one connector: `connectors/pinterest/`.
"""
