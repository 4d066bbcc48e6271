"""What a process does before it forks: load everything, so that its children share it instead of loading it.

A forked process shares the memory pages that neither process writes to. Python's garbage collector writes to all
objects that it examines; `gc.freeze` excludes those made before the fork.
"""

from __future__ import annotations

import gc
import importlib

from django.urls import get_resolver

from integrations.framework import registry


def load_before_fork(*modules: str) -> None:
    """Import connectors, pages and these modules, and freeze what is in memory now."""
    registry.connectors()
    for each in modules:
        importlib.import_module(each)
    # All URLs, the admin's included: the first request would load them.
    _ = get_resolver().reverse_dict
    gc.collect()
    gc.freeze()
