"""The API for programs: start a workflow, and read what came of it."""
