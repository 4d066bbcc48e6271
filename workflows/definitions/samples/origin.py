"""Where a sample comes from."""

from enum import StrEnum


class Origin(StrEnum):
    """Real data, edited by hand, or the operation's own sample, which is invented; pages say which."""

    REAL = "real"
    TYPED = "typed"
    INVENTED = "invented"
