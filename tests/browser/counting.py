"""How much a person has to do: clicks and fields as the browser itself sees them, not as a test says it did.

A click is a trusted click, by mouse or by a key that works a control (Enter, Space, Alt+Down). A choice from a list of
the browser's own is one click, opening it included. A field is one that was typed into, chosen in or ticked; a value
picked into it counts as well, and the same field of a form that was opened anew is another. Going on by Tab is free.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.browser.person import Person

#: Kept in the browser's storage, so that nothing is lost when a click leaves the page. What the page's own scripts
#: dispatch goes through this world's `dispatchEvent` and is marked there; what Playwright dispatches does not.
_LISTENERS = """(() => {
  if (window.pxCounting) return;
  window.pxCounting = true;
  const KEY = "px-counted";
  const byPage = new WeakSet();
  const dispatch = EventTarget.prototype.dispatchEvent;
  EventTarget.prototype.dispatchEvent = function (event) {
    byPage.add(event);
    return dispatch.call(this, event);
  };
  let labelled = null;
  let isActing = false;

  const named = (element) => {
    const label = element.labels?.[0] ?? element.querySelector?.("[aria-label]");
    const words = [element.ariaLabel, label?.textContent, label?.ariaLabel, element.textContent, element.name];
    return (words.find((each) => each?.trim()) ?? "").trim().replace(/\\s+/g, " ").slice(0, 60);
  };
  const note = (kind, name, key = "") => {
    const kept = localStorage.getItem(KEY);
    if (kept === null) return;
    const all = JSON.parse(kept);
    if (kind === "field" && all.some((each) => each.kind === kind && each.key === key)) return;
    all.push({kind, name, key, path: location.pathname});
    localStorage.setItem(KEY, JSON.stringify(all));
  };
  const noteField = (element) => {
    const action = element.form?.getAttribute("action") ?? "";
    const name = element.name || element.id || named(element);
    note("field", named(element), [performance.timeOrigin, location.href, action, name].join(" "));
  };
  const isTaken = (element) => /^(input|textarea|select)$/.test(element.localName);
  const isButton = (element) => /^(submit|button|reset|image|hidden)$/.test(element.type);
  const acts = () => {
    isActing = true;
    setTimeout(() => { isActing = false; });
  };
  const listen = (name, heard) => window.addEventListener(name, heard, {capture: true});

  for (const name of ["pointerdown", "keydown", "beforeinput", "paste", "drop"]) {
    listen(name, (event) => { if (event.isTrusted) acts(); });
  }
  listen("click", (event) => {
    if (!event.isTrusted) return;
    acts();
    const target = event.composedPath()[0];
    const isPassedOn = labelled === target && event.pointerId < 0;
    labelled = target.closest?.("label")?.control ?? null;
    if (isPassedOn || target.closest?.("select")) return;
    note("click", named(target.closest?.("a, button, summary, label, input, [role]") ?? target));
  });
  listen("keydown", (event) => {
    if (!event.isTrusted) return;
    const target = event.composedPath()[0];
    if (event.altKey && event.key === "ArrowDown") note("click", `Alt+Down in ${named(target)}`);
    else if (event.key === "Enter") {
      setTimeout(() => { if (event.defaultPrevented) note("click", `Enter in ${named(target)}`); });
    }
  });
  for (const name of ["input", "change"]) {
    listen(name, (event) => {
      const target = event.composedPath()[0];
      if (!isTaken(target) || isButton(target)) return;
      const isOfValues = target.parentElement?.querySelector(":scope > .px-value-editor");
      if (byPage.has(event) && !(isOfValues && isActing)) return;
      if (target.localName === "select" && name === "change") {
        note("click", `${named(target)}: ${target.selectedOptions[0]?.textContent.trim()}`);
      }
      noteField(target);
    });
  }
})()"""
_BEGIN = "() => localStorage.setItem('px-counted', '[]')"
_READ = "() => localStorage.getItem('px-counted')"


@dataclass
class Count:
    """What somebody has done; complete while and after the block of `counted`."""

    person: Person
    began: float
    seen: list[dict[str, Any]]
    seconds: float = 0

    def look(self) -> None:
        """Read what the browser has seen until now."""
        self.person.page.wait_for_timeout(50)
        self.seen = json.loads(self.person.page.evaluate(_READ) or "[]")
        self.seconds = time.monotonic() - self.began

    @property
    def clicks(self) -> int:
        """How often something was clicked, or chosen from a list."""
        return len(self._of("click"))

    @property
    def fields(self) -> int:
        """How many fields were filled in."""
        return len(self._of("field"))

    def _of(self, kind: str) -> list[str]:
        return [f"{each['name']} ({each['path']})" for each in self.seen if each["kind"] == kind]

    def __str__(self) -> str:
        told = [f"{self.clicks} clicks, {self.fields} fields, {self.seconds:.0f} s"]
        told += [
            f"{kind} {place}. {name}" for kind in ("click", "field") for place, name in enumerate(self._of(kind), 1)
        ]
        return "\n".join(told)


@contextlib.contextmanager
def counted(person: Person) -> Iterator[Count]:
    """Count from the page on which the person is, over all pages and tabs of Pinxero, until the end of the block."""
    person.context.add_init_script(_LISTENERS)
    for page in person.context.pages:
        page.evaluate(_LISTENERS)
    person.page.evaluate(_BEGIN)
    count = Count(person, time.monotonic(), [])
    yield count
    count.look()
