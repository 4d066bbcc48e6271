"""A camera for pages: cuts out what a text speaks of, and keeps the picture small.

WebP is a third of the size of PNG for a page of text and boxes, and Chromium writes it itself.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

from playwright.sync_api import Locator, Page

#: Of 100; below it the edges of letters begin to show.
_QUALITY = 80
#: Pixels of a picture for one of the page; the size that a text gives for a picture is in the page's.
SCALE = 1
#: Around what is cut out, in the page's pixels.
_MARGIN = 12
_HIGHEST = 900
_IMAGE = re.compile(r'(<img src="\.\./images/(?P<name>[\w-]+)\.webp") width="\d+" height="\d+"')


class Camera:
    """Takes pictures into a folder and remembers their sizes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sizes: dict[str, tuple[int, int]] = {}

    def take(self, name: str, first: Locator, *others: Locator, highest: int = _HIGHEST) -> None:
        """What these take up together, from the top on at most so high, in the page's pixels."""
        page = first.page
        _settle(page)
        page.evaluate("window.scrollTo(0, 0)")
        boxes = [box for each in (first, *others) if (box := each.bounding_box())]
        assert len(boxes) == 1 + len(others), f"Not all that belongs to the picture {name} is on {page.url}."
        left = max(min(box["x"] for box in boxes) - _MARGIN, 0)
        top = max(min(box["y"] for box in boxes) - _MARGIN, 0)
        width = min(max(box["x"] + box["width"] for box in boxes) + _MARGIN, _width(page)) - left
        height = min(max(box["y"] + box["height"] for box in boxes) + _MARGIN - top, highest)
        self.sizes[name] = (round(width), round(height))
        clip = {"x": round(left), "y": round(top), "width": round(width), "height": round(height)}
        (self.folder / f"{name}.webp").write_bytes(_photograph(page, clip))


def _settle(page: Page) -> None:
    """Wait until nothing moves: what was asked for has come, and the fonts are there."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(250)


def _photograph(page: Page, clip: dict[str, int]) -> bytes:
    """Playwright's own screenshots are PNG or JPEG only."""
    session = page.context.new_cdp_session(page)
    asked = {"format": "webp", "quality": _QUALITY, "clip": {**clip, "scale": SCALE}, "captureBeyondViewport": True}
    taken = session.send("Page.captureScreenshot", asked)
    session.detach()
    return base64.b64decode(taken["data"])


def _width(page: Page) -> float:
    return float(page.evaluate("document.documentElement.clientWidth"))


def write_sizes(text: str, sizes: dict[str, tuple[int, int]]) -> str:
    """The text of a page of the guide, with the sizes of its pictures as they are now."""

    def with_size(found: re.Match[str]) -> str:
        width, height = sizes[found["name"]]
        return f'{found[1]} width="{width}" height="{height}"'

    return _IMAGE.sub(with_size, text)
