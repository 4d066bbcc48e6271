"""Xero's side of the sandbox: connections and the accounting API."""
