"""Tests with a real Chromium against real processes: sandbox, web server and worker."""
