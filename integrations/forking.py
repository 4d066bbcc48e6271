"""What a process does before it makes others of its kind: load everything, so that they share it instead of loading it.

A forked process shares the pages of memory that neither of the two writes to. Python's garbage collector writes to all
objects that it looks at; `gc.freeze` keeps it from those that are there before the fork.
"""

from __future__ import annotations

import gc
import importlib

from django.urls import get_resolver

from integrations import registry


def load_before_fork(*modules: str) -> None:
    """Import connectors, pages and these modules, and freeze what is in memory now."""
    registry.connectors()
    for each in modules:
        importlib.import_module(each)
    # The whole tree of addresses, with the admin's in it: the first request would load it.
    _ = get_resolver().reverse_dict
    gc.collect()
    gc.freeze()
