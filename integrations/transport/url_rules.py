"""Which addresses that people give may be called: pure rules, no network.

People type links and hosts into workflows, and Pinxero runs inside a network that they cannot reach. So an address is
parsed once, strictly, and only the parts are passed on: what is checked is what is used. A host that programs read in
different ways (`127.1`, `2130706433`, `0x7f.1`, `user@host`, a trailing dot, look-alike dots) is refused instead of
interpreted.

Sources: the IANA special-purpose registries of IPv4 and IPv6 addresses; RFC 3986 for the parts of an address;
RFC 5214 (ISATAP), 6052 (NAT64), 3056 (6to4), 4380 (Teredo) for IPv6 addresses that hide an IPv4 one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from integrations.core.errors import RejectedError

PORTS = {"https": 443, "http": 80}
LONGEST_URL = 4000

IPAddress = IPv4Address | IPv6Address

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
#: How resolvers read a number: such a last label makes the whole host a number, whatever precedes it.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: RFC 3986: what a path or a query may contain unescaped; a percent sign is assumed to be intended.
_AS_IT_IS = "/%:@!$&'()*+,;=~-._?"

#: What no address may contain, and what browsers and Pinterest do not accept in one.
_NEVER = re.compile(r"[\x00-\x20\x7f\\]")
_NEVER_IN_LINKS = re.compile(r"[\x00-\x20\x7f\\\s<>\"]")
_NAMES = {
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a line break",
    "\\": "a backslash",
    '"': "a quotation mark",
    "<": "a < sign",
    ">": "a > sign",
}

#: The metadata services of cloud providers, inside or outside the ranges below.
_METADATA = {
    IPv4Address("169.254.169.254"),
    IPv4Address("100.100.100.200"),
    IPv4Address("168.63.129.16"),
    IPv4Address("192.0.0.192"),
    IPv6Address("fd00:ec2::254"),
    IPv6Address("fd20:ce::254"),
}
#: Global by Python's ipaddress, but not an ordinary host: protocol assignments and the old 6to4 relays.
_ODD_IPV4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("100.64.0.0/10"))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ODD_IPV6 = (
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, ORCHID, benchmarking
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),
)
_ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))
_PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("fc00::/7"),
)
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True)
class Target:
    """A parsed address. `path` includes the query and is ready to send; the fragment is dropped."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_number(self) -> bool:
        """Whether the host is an IP address instead of a name."""
        return _number(self.host) is not None

    @property
    def netloc(self) -> str:
        """For the Host header and for people: the port only if it is not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address to call."""
        return f"{self.scheme}://{self.netloc}{self.path}"


@dataclass(frozen=True)
class Rule:
    """One entry of an administrator's list: `host`, `*.suffix`, `host:port`, `http://host:port`.

    Without a scheme it means https, without a port the scheme's own. `*.example.com` is every name below example.com,
    not example.com itself.
    """

    scheme: str
    host: str
    port: int
    is_suffix: bool = False

    def fits(self, target: Target) -> bool:
        """Whether the entry allows the target."""
        if (self.scheme, self.port) != (target.scheme, target.port):
            return False
        if self.is_suffix:
            return not target.is_number and target.host.endswith(f".{self.host}")
        return target.host == self.host


def rule(text: str) -> Rule:
    """Read an entry of a list. Raises ValueError with a sentence if it is invalid."""
    scheme, separator, rest = text.strip().lower().rpartition("://")
    scheme = scheme if separator else "https"
    is_suffix = rest.startswith("*.")
    netloc = rest[2:] if is_suffix else rest.removesuffix("/")
    try:
        target = parse(f"{scheme}://{netloc}")
    except RejectedError as error:
        raise ValueError(f"{text!r} is no host: {error.message}") from None
    if target.path != "/" or "*" in netloc:
        raise ValueError(f"{text!r} is no host. Write api.example.com, *.example.com or api.example.com:8443.")
    if is_suffix and (target.is_number or "." not in target.host):
        raise ValueError(f"{text!r} would let in too much. Write *.example.com.")
    return Rule(scheme=target.scheme, host=target.host, port=target.port, is_suffix=is_suffix)


def rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """The entries that can be read; a system check reports the others."""
    found = []
    for text in texts:
        try:
            found.append(rule(text))
        except ValueError:
            continue
    return tuple(found)


def parse(url: str) -> Target:
    """Parse an address. Raises RejectedError for whatever could be read in two ways."""
    if len(url) > LONGEST_URL:
        raise _refused(f"The address is longer than {LONGEST_URL} characters.")
    if said := wrong_sign(url, _NEVER):
        raise _refused(f"The address {said}.")
    try:
        parts = urlsplit(url)
        written = parts.port
    except ValueError:
        raise _refused("The address cannot be read.") from None
    if parts.scheme not in PORTS:
        raise _refused("The address has to begin with https://.")
    if "@" in parts.netloc:
        raise _refused("The address has a user name in it (before an @). Put names and passwords into headers.")
    host = _host(parts.netloc)
    if written == 0 or re.search(r":0*$|:0\d", parts.netloc.rpartition("]")[2]):
        raise _refused("The address has a port that cannot be read.")
    path = quote(parts.path or "/", safe=_AS_IT_IS)
    query = f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else ""
    return Target(scheme=parts.scheme, host=host, port=written or PORTS[parts.scheme], path=f"{path}{query}")


def wrong_sign(text: str, signs: re.Pattern[str]) -> str:
    """What an address contains that it must not, and where, worded to follow the address in a sentence; else empty."""
    found = signs.search(text)
    if found is None:
        return ""
    what = _NAMES.get(found[0], "a space" if found[0].isspace() else "a sign that cannot be seen")
    before, after = text[: found.start()], text[found.end() :]
    if not before.strip():
        return f"has {what} before it"
    if not after.strip():
        return f"has {what} at its end"
    how = "; a space that belongs there is written %20" if what == "a space" else ""
    return f'has {what} in it, behind "{before[-40:]}"{how}'


def problem_on_the_web(text: str) -> str:
    """Why a browser would not open a text as an address, as a sentence; empty if it would. The host is not judged."""
    shown = f'"{text[:60]}"'
    if said := wrong_sign(text, _NEVER_IN_LINKS):
        return f"{shown} {said}."
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        return f"{shown} names a host that cannot be read."
    if scheme not in PORTS:
        return f"{shown} is not an address on the web. It begins with https:// or http://."
    return "" if host else f"{shown} names no host behind {scheme}://, such as www.example.com."


def _host(netloc: str) -> str:
    if netloc.startswith("["):
        inside, closed, after = netloc[1:].partition("]")
        try:
            number: IPAddress = IPv6Address(inside)
        except ValueError:
            raise _refused("The address has a host that cannot be read.") from None
        if not closed or "%" in inside or (after and not after.startswith(":")):
            raise _refused("The address has a host that cannot be read.")
        return str(number)
    host = netloc.partition(":")[0].lower()
    if not host:
        raise _refused("The address has no host.")
    if not host.isascii():
        raise _refused(
            f"The host {host!r} has letters beyond a to z. Write it as browsers send it, beginning with xn--."
        )
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _refused(f"The host {host!r} is a number in an unusual form.") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(f"The host {host!r} is no host name.")
    return host


def _number(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(number: IPAddress) -> bool:
    """Whether an address is certainly an ordinary host on the internet; False in doubt.

    Python's `is_global` alone also lets multicast, NAT64, 6to4 and protocol assignments through.
    """
    if number in _METADATA or not number.is_global or number.is_multicast or number.is_reserved:
        return False
    if isinstance(number, IPv4Address):
        return not any(number in network for network in _ODD_IPV4)
    if number not in _GLOBAL_UNICAST or number.scope_id is not None or number.packed[8:12] in _ISATAP:
        return False
    return not any(number in network for network in _ODD_IPV6)


def is_private(number: IPAddress, *, loopback: bool) -> bool:
    """Whether an address is one that an administrator may let people reach in the private network.

    Never among them: link-local addresses, the metadata services of clouds, and IPv6 that hides an IPv4 address.
    """
    if number in _METADATA:
        return False
    return any(number in network for network in (*_PRIVATE, *(_LOOPBACK if loopback else ())))


def is_this_machine(entry: Rule) -> bool:
    """Whether a list's entry names this machine, or a cloud's metadata service, by its usual names and addresses."""
    number = _number(entry.host)
    if number is None:
        return f".{entry.host}".endswith((".localhost", ".metadata.google.internal"))
    return number in _METADATA or number.is_link_local or any(number in network for network in _LOOPBACK)


def _refused(sentence: str) -> RejectedError:
    return RejectedError(f"{sentence} Nothing was sent.")
