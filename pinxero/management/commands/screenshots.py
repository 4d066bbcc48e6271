"""`manage.py screenshots`, what `make screenshots` calls: the pictures of README.md, from a running demo."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pinxero import demo
from pinxero.development import chromium, environment

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Pins that make the pictures tell something; the second one is stopped by the demo's filter.
_PINS = ["Grilled nectarines", "Draft: plum cake", "Iced rooibos with mint"]
_SECONDS = 30
_WIDTH, _HEIGHT = 1280, 800


class Command(BaseCommand):
    help = "Make the pictures in docs/images from a demo that make run has started."

    def add_arguments(self, parser: CommandParser) -> None:
        ports = environment.read_ports(os.environ)
        parser.add_argument("--url", default=ports.web_url, help=f"where Pinxero is (default: {ports.web_url})")
        parser.add_argument("--sandbox", default=ports.sandbox_url, help="where the sandbox is")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from playwright.sync_api import Error, sync_playwright
        except ImportError as error:
            raise CommandError("Playwright is not installed; make screenshots installs it.") from error
        browser_path = chromium.find_chromium()
        if browser_path is None:
            raise CommandError("No Chromium found: install the package chromium, or set CHROMIUM to its path.")
        folder = Path(settings.BASE_DIR) / "docs" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for title in _PINS:
                pin = {"board": demo.BOARD, "title": title, "description": "For the summer issue."}
                requests.post(f"{options['sandbox']}/_sandbox/pins", json=pin, timeout=10).raise_for_status()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path, args=chromium.ARGUMENTS)
                page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
                _sign_in(page, options["url"])
                _take(page, options["url"], folder)
                browser.close()
        except (Error, requests.RequestException) as error:
            raise CommandError(
                f"The pictures could not be made; is the demo running at {options['url']} (make run)? {error}"
            ) from error
        for path in sorted(folder.glob("*.png")):
            self.stdout.write(f"{path.relative_to(settings.BASE_DIR)}: {path.stat().st_size // 1024} KB")


def _sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=login]", "builder")
    page.fill("[name=password]", settings.DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/admin/")


def _take(page: Page, url: str, folder: Path) -> None:
    page.goto(f"{url}/workflows/")
    page.get_by_role("link", name=demo.WORKFLOW).first.click()
    page.get_by_role("button", name="Look now").click()
    _await_runs(page, url)
    page.get_by_role("link", name=_PINS[-1]).first.click()
    page.get_by_role("heading", name=_PINS[-1]).wait_for()
    _picture(page, folder / "run.png")
    page.goto(f"{url}/workflows/")
    page.get_by_role("link", name=demo.WORKFLOW).first.click()
    page.get_by_role("heading", name=demo.WORKFLOW).first.wait_for()
    _picture(page, folder / "workflow.png")
    page.goto(f"{url}/admin/")
    _picture(page, folder / "dashboard.png")


def _await_runs(page: Page, url: str) -> None:
    """Until the list shows the last pin's run, ended."""
    deadline = time.monotonic() + _SECONDS
    while True:
        page.goto(f"{url}/runs/")
        row = page.get_by_role("row").filter(has_text=_PINS[-1]).filter(has_text="Succeeded")
        if row.count() or time.monotonic() > deadline:
            return
        time.sleep(0.5)


def _picture(page: Page, path: Path) -> None:
    """The whole page at once, in a window as high as the page."""
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": _WIDTH, "height": page.evaluate("document.documentElement.scrollHeight")})
    page.screenshot(path=str(path))
    page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
