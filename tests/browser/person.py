"""A person at a browser: a page that is being watched for everything that must never happen on one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Page, Response

from tests.base import PASSWORD

#: What Chromium itself logs when a page that was asked for answers so; the tests assert those answers themselves.
_OWN_WORDS = "Failed to load resource: the server responded with a status of "
#: What htmx logs of a request that newer typing has replaced.
_REPLACED = ("htmx:afterRequest", "htmx:sendAbort")


class Person:
    """Somebody with a browser of their own. `complaints` is what the browser found wrong; it must stay empty."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.home = home
        self.context = context
        self.complaints: list[str] = []
        context.on("page", self._watch)
        self.page = context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: error {error}"))
        page.on("dialog", self._dialog)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and message.text not in _REPLACED and not message.text.startswith(_OWN_WORDS):
            self.complaints.append(f"{message.location.get('url')}: console says {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        if (
            dialog.type == "beforeunload"
        ):  # the browser's own question before typing is lost; this person means to leave
            dialog.accept()
            return
        self.complaints.append(f"{dialog.page.url if dialog.page else '?'}: a dialog opened: {dialog.message}")
        dialog.dismiss()

    def _response(self, response: Response) -> None:
        is_document = response.request.resource_type == "document"
        if response.status == 500 or (response.status >= 400 and not is_document):
            self.complaints.append(f"{response.url} answered {response.status}")

    def open(self, path: str) -> Response:
        """Go to an address of Pinxero."""
        response = self.page.goto(f"{self.home}{path}")
        assert response is not None
        return response

    def sign_in(self, name: str) -> None:
        """Through the door, to the dashboard."""
        self.open("/")
        self.page.get_by_label("Username or e-mail").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.home}/admin/")

    def click(self, name: str, *, role: str = "button") -> None:
        """The button, or with `role` the link, that is called exactly so."""
        self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]

    def field(self, label: str) -> Locator:
        """The field with this label, needed or not."""
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( ?\*)?$"))

    def pick_value(self, label: str) -> None:
        """Open the list of values at the field the person is in, and click one: it goes where the cursor is."""
        self.page.keyboard.press("Alt+ArrowDown")
        offered = self.page.get_by_role("dialog", name="Pick a value")
        offered.get_by_role("option", name=re.compile(rf"^{re.escape(label)}\b")).first.click()

    def source(self, label: str, place: int = 0) -> str:
        """The language's text in a field that takes values, or in one of several of this name: what is sent."""
        return self.field(label).nth(place).locator("xpath=..").locator("input, textarea").input_value()

    def open_all_details(self) -> None:
        """Unfold everything that is folded."""
        self.page.locator("#px-run details").evaluate_all("all => all.forEach(each => each.open = true)")

    def reload_until(self, is_there: Callable[[], bool], *, seconds: float = 60) -> None:
        """Look again and again until it is there."""
        deadline = time.monotonic() + seconds
        while not is_there():
            assert time.monotonic() < deadline, f"{self.page.url} did not change in {seconds} s: {self.text()}"
            self.page.wait_for_timeout(300)
            self.page.reload()

    def text(self) -> str:
        """What the main part of the page says."""
        return self.page.locator("#main, main, body").first.inner_text()

    def reads(self, words: str, *, seconds: float = 10) -> bool:
        """Whether the page says this, now or as soon as the next one has come."""
        deadline = time.monotonic() + seconds
        while words not in self.text():
            if time.monotonic() > deadline:
                return False
            self.page.wait_for_timeout(100)
        return True
