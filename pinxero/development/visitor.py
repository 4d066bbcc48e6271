"""A person with a browser, limited to forms: signs in to Pinxero, gives a consent, picks what to connect.

It has no screen and runs no scripts: the pages work without them. It follows links and posts the forms that the pages
show, so it can do only what a person can, and every CSRF token is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

_TIMEOUT = 30


class VisitError(Exception):
    """A page did not offer what was expected; the message says which page and what it showed instead."""


@dataclass
class Form:
    """A form on a page: what would be sent, and the names of its buttons."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: set[str] = field(default_factory=set)

    def has(self, names: set[str], action: str) -> bool:
        """Whether it has these fields or buttons and an address with this ending."""
        there = {name for name, _ in self.fields} | self.buttons
        return names <= there and urlsplit(self.action).path.endswith(action)


@dataclass
class Page:
    """A page that was opened: its URL, forms and text."""

    url: str
    status: int
    forms: list[Form]
    text: str

    def form(self, *names: str, action: str = "") -> Form:
        """The first form with all these fields or buttons and this ending of its address. Raises VisitError."""
        for each in self.forms:
            if each.has(set(names), action):
                return each
        wanted = " and ".join(names) or action
        raise VisitError(f"{self.url} answered {self.status} and shows no form with {wanted}: {self.text[:300]}")


class Visitor:
    """One browser session."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._session = requests.Session()
        self._session.trust_env = False

    def open(self, path: str) -> Page:
        """Go to an address of Pinxero."""
        return self._page(self._session.get(urljoin(self.home, path), timeout=_TIMEOUT))

    def submit(self, page: Page, form: Form, **values: str) -> Page:
        """Send a form with these fields changed or added, and follow its redirects."""
        kept = [(name, value) for name, value in form.fields if name not in values]
        url = urljoin(page.url, form.action)
        return self._page(self._session.post(url, data=[*kept, *values.items()], timeout=_TIMEOUT))

    def sign_in(self, name: str, password: str) -> None:
        """Sign in to Pinxero. Raises VisitError if it is refused."""
        page = self.open("/accounts/login/")
        after = self.submit(page, page.form("login", "password"), login=name, password=password)
        if urlsplit(after.url).path.startswith("/accounts/login"):
            raise VisitError(f"{name} could not sign in at {self.home}: {after.text[:300]}")

    def connect(self, provider: str) -> None:
        """Consent at a provider and connect what the page then suggests. Raises VisitError."""
        page = self.open("/connections/")
        consent = self.submit(page, page.form(action=f"/connections/connect/{provider}/"))
        choice = self.submit(consent, consent.form("decision"), decision="accept")
        if any(form.has({"account"}, "") for form in choice.forms):
            choice = self.submit(choice, choice.form("account"))
        if choice.status != 200 or urlsplit(choice.url).path != "/connections/":
            raise VisitError(f"Connecting {provider} ended at {choice.url} with {choice.status}: {choice.text[:300]}")

    def _page(self, response: requests.Response) -> Page:
        reader = _Reader()
        reader.feed(response.text)
        return Page(response.url, response.status_code, reader.forms, " ".join(" ".join(reader.words).split()))


class _Reader(HTMLParser):
    """Collects forms, and the text of the page's main part."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._skips = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("script", "style", "head"):
            self._skips += 1
        elif tag == "form":
            self._form = Form(values.get("action", ""))
            if values.get("method", "").lower() == "post":
                self.forms.append(self._form)
        elif self._form is not None and values.get("name") and "disabled" not in values:
            self._add_to(self._form, tag, values)

    def _add_to(self, form: Form, tag: str, values: dict[str, str]) -> None:
        is_box = values.get("type") in ("checkbox", "radio")
        if tag == "button":
            form.buttons.add(values["name"])
        elif tag == "input" and (not is_box or "checked" in values):
            form.fields.append((values["name"], values.get("value", "on" if is_box else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._skips -= 1
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if not self._skips:
            self.words.append(data)
