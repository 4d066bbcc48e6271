"""Regular expressions in linear time: a pattern from a user cannot stall a worker."""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from workflows.language.values import MappingTypeError, shown

PATTERN_LIMIT = 500  # characters in a regular expression


@lru_cache(maxsize=256)
def compiled(pattern: str, case_sensitive: bool) -> Any:
    """The pattern in RE2's syntax. Raises MappingTypeError if it cannot be read or is too long."""
    if len(pattern) > PATTERN_LIMIT:
        raise MappingTypeError(f"A pattern has at most {PATTERN_LIMIT} characters.")
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise MappingTypeError(f"The pattern {shown(pattern)} cannot be read: {reason}.") from error
