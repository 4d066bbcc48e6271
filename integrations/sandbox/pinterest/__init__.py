"""Pinterest's side of the sandbox: API v5."""
