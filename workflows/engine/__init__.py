"""Executes runs: claim under a lease, walk the plan, write down before and after, decide what is next."""
