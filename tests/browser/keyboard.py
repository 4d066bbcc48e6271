"""A person without a mouse: only keys are pressed, and where they stand is what the browser tells a screen reader."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.browser.person import Person

#: Nothing that is needed next may be more presses of Tab away than this.
MOST_TABS = 20
_SECONDS = 20

_TROUBLE = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return "is on nothing";
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  const clamp = (at, most) => Math.max(0, Math.min(at, most - 1));
  const middle = (from, to, most) => (clamp(from, most) + clamp(to, most)) / 2;
  const atop = document.elementFromPoint(
    middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
  const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const isShown = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const isAtop = each.contains(atop) || [...(each.labels ?? [])].some((label) => label.contains(atop));
  return [!isOutlined && "has no outline", !isShown && "is out of the window", isShown && !isAtop && "is covered"]
    .filter(Boolean).join(", ");
}"""


@dataclass(frozen=True)
class Place:
    """What has the focus: the role and the name that a screen reader says."""

    role: str
    name: str

    def fits(self, name: str, role: str, *, is_exact: bool = False) -> bool:
        """Whether it is called so; else than with `is_exact` the beginning is enough, as it is for an ear."""
        return (self.name == name if is_exact else self.name.startswith(name)) and role in ("", self.role)


class Keyboard:
    """The keys of one page. `tabs` counts the presses of Tab."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.tabs = 0
        self._devtools = person.context.new_cdp_session(person.page)

    def press(self, key: str) -> None:
        self.person.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.person.page.keyboard.type(text)

    def place(self) -> Place:
        """What has the focus now."""
        active = self._devtools.send("Runtime.evaluate", {"expression": "document.activeElement ?? document.body"})
        handle = {"objectId": active["result"]["objectId"], "fetchRelatives": False}
        [node] = self._devtools.send("Accessibility.getPartialAXTree", handle)["nodes"]
        return Place(_value(node, "role"), " ".join(_value(node, "name").split()))

    def is_seen(self, told: str = "") -> None:
        """The focus is somewhere, and people see where."""
        trouble = self.person.page.evaluate(_TROUBLE)
        assert not trouble, f"The focus {trouble}, at {self.place()} on {self.person.page.url} {told}"

    def to(
        self, name: str, *, role: str = "", is_exact: bool = False, back: bool = False, most: int = MOST_TABS
    ) -> None:
        """Press Tab, or Shift+Tab, until what is called so has the focus."""
        passed: list[str] = []
        for _ in range(most):
            self.press("Shift+Tab" if back else "Tab")
            self.tabs += 1
            self.is_seen(f"after {passed}")
            place = self.place()
            if place.fits(name, role, is_exact=is_exact):
                return
            passed.append(f"{place.role}: {place.name}")
        raise AssertionError(f"{most} Tabs on {self.person.page.url} do not reach {name!r}: {passed}")

    def skip(self) -> None:
        """On a page that has just come: past what all pages have. Whoever was past it already still is."""
        if self.person.page.evaluate("() => document.activeElement === document.body"):
            self.to("Skip to the content", most=1)
            self.press("Enter")

    def go(self, heading: str) -> None:
        """Enter, and on to the page with this heading."""
        with self.person.page.expect_navigation():
            self.press("Enter")
        self.person.page.get_by_role("heading", name=heading).first.wait_for()
        self.person.page.wait_for_load_state()

    def stands_on(self, name: str, *, role: str = "", saying: str = "") -> None:
        """The page has changed, says so, and the focus is where one would look next."""
        if saying:
            self.person.page.get_by_text(saying).first.wait_for()
        deadline = time.monotonic() + _SECONDS
        while not self.place().fits(name, role):
            assert time.monotonic() < deadline, f"The focus is on {self.place()}, not on {name!r}."
            self.person.page.wait_for_timeout(50)
        self.is_seen()

    def pick(self, label: str) -> None:
        """At a field: open its list, find the value by its name, and take it."""
        self.press("Alt+ArrowDown")
        self.stands_on("Find a value by its name or content")
        self.type(label)
        self.press("Enter")
        self.is_seen()


def _value(node: dict[str, Any], key: str) -> str:
    return str(node.get(key, {}).get("value", ""))
