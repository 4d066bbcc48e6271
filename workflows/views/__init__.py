"""Pages of workflows and runs: they ask, and call services for every change."""
