"""Clients of the sandbox for this folder's tests."""

from tests.integrations.wire import demo, northwind, pinterest, sandbox_hosts, wire

__all__ = ["demo", "northwind", "pinterest", "sandbox_hosts", "wire"]
