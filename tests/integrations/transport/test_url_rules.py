"""Which addresses people may give: the corpus of spellings and numbers by which others were fooled."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.errors import RejectedError
from integrations.transport.url_rules import Rule, Target, is_private, is_public, parse, rule, rules

ODD_SPELLINGS = [
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://0/",
    "https://0x/",
    "https://1.2.3.4.5/",
    "https://999.1.1.1/",
    "https://example.0x7f/",
    "https://127.0.0.1./",
    "https://example.com./",
    "https://localhost./",
    "https://.example.com/",
    "https://exam..ple.com/",
    "https://-example.com/",
    "https://example-.com/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 127 + "com/",
    "https://a@127.0.0.1/",
    "https://example.com@127.0.0.1/",
    "https://example.com:secret@127.0.0.1/",
    "https://@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https:\\\\127.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://example。com/",
    "https://ｅｘａｍｐｌｅ.com/",
    "https://exa\u00admple.com/",
    "https://bücher.example/",
    "https://example.com%2f@127.0.0.1/",
    "https://127.0.0.1%00.example.com/",
    "https://%31%32%37.0.0.1/",
    "https://exam ple.com/",
    "https://example.com\t/",
    "https://exam\nple.com/",
    "https://example.com/\r\nHost: 127.0.0.1",
    "https://example.com\x00/",
    "https://[::1/",
    "https://::1/",
    "https://[::1]extra/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[127.0.0.1]/",
    "https://[v1.a]/",
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:0443/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:443:80/",
    "https://example.com:４４３/",
    "https:///path",
    "https://",
    "https:127.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "",
    "example.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "data:text/plain,hello",
    "ftp://example.com/",
    "javascript:alert(1)",
    "ws://example.com/",
    "HTTPS+unix://example.com/",
    "https://example.com/" + "a" * 4000,
]


@pytest.mark.parametrize("url", ODD_SPELLINGS)
def test_an_address_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(RejectedError, match=r"Nothing was sent\.$"):
        parse(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/")),
        ("HTTPS://Example.COM:443/A?b=C", Target("https", "example.com", 443, "/A?b=C")),
        ("http://example.com:8080/", Target("http", "example.com", 8080, "/")),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
        ("https://my_files.example.com/", Target("https", "my_files.example.com", 443, "/")),
        ("https://93.184.216.34/", Target("https", "93.184.216.34", 443, "/")),
        ("https://[2606:2800:220:1:0:0:0:1]:8443/", Target("https", "2606:2800:220:1::1", 8443, "/")),
        ("https://example.com/#@127.0.0.1/", Target("https", "example.com", 443, "/")),
        ("https://example.com?a=b", Target("https", "example.com", 443, "/?a=b")),
        ("https://example.com/bücher?q=ä", Target("https", "example.com", 443, "/b%C3%BCcher?q=%C3%A4")),
        ("https://example.com/a%20b?c=%26", Target("https", "example.com", 443, "/a%20b?c=%26")),
        ("https://example.com/a@b", Target("https", "example.com", 443, "/a@b")),
    ],
)
def test_an_ordinary_address_is_taken_apart(url: str, target: Target) -> None:
    assert parse(url) == target


def test_the_host_is_said_with_its_port_only_where_that_is_unusual() -> None:
    assert parse("https://example.com:443/").netloc == "example.com"
    assert parse("https://example.com:8443/").netloc == "example.com:8443"
    assert parse("https://[2606:2800::1]:8443/a?b").url == "https://[2606:2800::1]:8443/a?b"


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser_and_what_it_gives_is_ready_for_the_wire(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/", f"https://example.com/{text}", f"https://a.b?{text}"):
        try:
            target = parse(url)
        except RejectedError:
            continue
        assert target.url.isascii()
        assert target.url.isprintable()
        assert not set(target.url) & set(" \\#")
        assert "@" not in target.netloc
        assert parse(target.url) == target


CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::7f00:1", "100::1", "2001::1",
    "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
    "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1",
    "fe80::1%1", "fec0::1", "ff02::1", "ff0e::1", "2606:2800::5efe:7f00:1", "2606:2800::200:5efe:10.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("number", CLOSED)
def test_a_number_that_is_no_ordinary_host_of_the_internet_is_closed(number: str) -> None:
    assert not is_public(ip_address(number))


@pytest.mark.parametrize(
    "number", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "192.0.1.1", "100.128.0.1", "2606:2800:220:1::1", "2a00::1"]
)
def test_an_ordinary_host_of_the_internet_is_open(number: str) -> None:
    assert is_public(ip_address(number))


def test_an_administrator_can_open_the_own_network_but_not_what_clouds_tell_or_what_hides_in_a_number() -> None:
    openable = {number for number in CLOSED if is_private(ip_address(number), loopback=False)}
    assert openable == {
        "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "172.16.0.1", "172.31.255.255",
        "192.168.0.1", "192.168.255.255", "fc00::1", "fd12:3456::1",
    }  # fmt: skip
    beside = {number for number in CLOSED if is_private(ip_address(number), loopback=True)}
    assert beside - openable == {"127.0.0.1", "127.255.255.254", "::1"}


@pytest.mark.parametrize(
    ("text", "fits", "misfits"),
    [
        (
            "api.example.com",
            ["https://api.example.com/v1", "https://API.example.com:443/"],
            [
                "https://example.com/",
                "https://api.example.com.evil.test/",
                "https://evil-api.example.com/",
                "https://api.example.com:8443/",
                "http://api.example.com/",
            ],
        ),
        (
            "*.example.com",
            ["https://a.example.com/", "https://a.b.example.com/"],
            ["https://example.com/", "https://evilexample.com/", "https://a.example.com.evil.test/"],
        ),
        ("example.com:8443", ["https://example.com:8443/"], ["https://example.com/"]),
        ("http://example.com", ["http://example.com/"], ["https://example.com/", "http://example.com:8080/"]),
        ("http://127.0.0.1:8080", ["http://127.0.0.1:8080/"], ["http://127.0.0.1/", "http://127.0.0.2:8080/"]),
        ("https://[fd00::1]:8443/", ["https://[fd00:0::1]:8443/"], ["https://[fd00::2]:8443/"]),
    ],
)
def test_an_entry_of_an_administrators_list_fits_what_it_names(text: str, fits: list[str], misfits: list[str]) -> None:
    entry = rule(text)
    assert [entry.fits(parse(url)) for url in fits] == [True] * len(fits)
    assert [entry.fits(parse(url)) for url in misfits] == [False] * len(misfits)


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "*.com", "**.example.com", "a.*.example.com", "example.com/path", "ftp://example.com",
     "user@example.com", "*.127.0.0.1", "127.1", "example.com:99999", "exa mple.com"],
)  # fmt: skip
def test_an_entry_that_says_too_much_or_nothing_is_refused_and_lets_nothing_in(text: str) -> None:
    with pytest.raises(ValueError):
        rule(text)
    assert rules([text, "example.com"]) == (Rule("https", "example.com", 443),)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "https://example.com/oak table.pdf",
            'The address has a space in it, behind "https://example.com/oak"; a space that belongs there is written '
            "%20. Nothing was sent.",
        ),
        (" https://example.com/", "The address has a space before it. Nothing was sent."),
        ("https://example.com/\n", "The address has a line break at its end. Nothing was sent."),
        (
            "https://example.com\\a",
            'The address has a backslash in it, behind "https://example.com". Nothing was sent.',
        ),
        (
            "https://example.com/\x00b",
            'The address has a sign that cannot be seen in it, behind "https://example.com/".',
        ),
        ("https//example.com/", "The address has to begin with https://. Nothing was sent."),
    ],
)
def test_what_stands_in_no_address_is_named_with_its_place(url: str, said: str) -> None:
    with pytest.raises(RejectedError) as refused:
        parse(url)
    assert said in refused.value.message
