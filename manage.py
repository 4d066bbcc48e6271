#!/usr/bin/env python
"""Django's command line for Pinxero."""

import os
import sys


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pinxero.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Set Pinxero up with `make run`, which installs everything.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
