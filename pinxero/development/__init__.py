"""Tools for development: they start Pinxero's processes beside the sandbox and drive them from outside."""
