"""What a page is looked at for, by small scripts inside it."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

_NAMELESS = """() => {
  const text = (node) => {
    if (node.nodeType === 3) return node.textContent;
    if (node.nodeType !== 1 || node.getAttribute("aria-hidden") === "true") return "";
    return (node.alt || "") + [...node.childNodes].map(text).join("");
  };
  const name = (each) => {
    const labelledby = (each.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
    const sources = [
      each.getAttribute("aria-label") || "",
      ...labelledby.map((id) => { const by = document.getElementById(id); return by ? text(by) : ""; }),
      ...[...(each.labels || [])].map(text),
      ["BUTTON", "A", "SUMMARY"].includes(each.tagName) ? text(each) : "",
      each.title || "",
    ];
    return sources.join("").trim();
  };
  const all = document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href], summary");
  return [...all]
    .filter((each) => each.checkVisibility() && !each.closest("[aria-hidden=true]") && !name(each))
    .map((each) => each.outerHTML.slice(0, 200));
}"""

_BEYOND = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth + 1) return [];
  return [`${root.scrollWidth} > ${root.clientWidth}`, ...[...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1)
    .slice(0, 5).map((each) => each.outerHTML.slice(0, 160))];
}"""

# The frame looks at the browser's colours only when a theme is chosen. No colour may still be on its way afterwards.
_CHOOSE_THEME = """async () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, *::before, *::after { transition: none !important; }");
  document.adoptedStyleSheets.push(sheet);
  if (!window.Alpine) return;
  const frame = Alpine.$data(document.documentElement);
  const chosen = frame.adminTheme;
  for (const theme of ["dark", chosen]) {
    frame.adminTheme = theme;
    await new Promise((done) => setTimeout(done));
  }
}"""

_LINKS = "() => [...document.querySelectorAll('a[href]')].map((each) => each.href)"
# What WCAG 2.2 asks for at the levels A and AA, and what axe counts as good practice; nothing of it is left out.
_AXE = """async (rules) => {
  const only = rules.length ? {runOnly: {type: "rule", values: rules}} : {};
  const {violations} = await axe.run(document, {resultTypes: ["violations"], ...only});
  return violations.flatMap(({id, nodes}) => nodes.map(({target, html, any, all, none}) => {
    const why = [...any, ...all, ...none].map((each) => each.message).join("; ");
    return `${id}: ${target.join(" ")} ${html.slice(0, 160)} (${why})`;
  }));
}"""
_WEB_SCHEMES = ("http://", "https://", "mailto:")


def nameless(page: Page) -> list[str]:
    """Fields, buttons and links that a screen reader could not call anything."""
    return list(page.evaluate(_NAMELESS))


def bring_axe(context: BrowserContext) -> None:
    """Every page of it begins with axe, which costs a third of sending it to a page that is there."""
    context.add_init_script(AXE_SCRIPT)


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with the page as it is shown now, by all its rules or these: rule, place, and why."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(_AXE, list(rules)))


def is_dark(page: Page) -> bool:
    """Whether the page has taken its dark theme."""
    return bool(page.evaluate("() => document.documentElement.classList.contains('dark')"))


def turn_light(page: Page) -> None:
    """As if the browser had been light when the page was opened: its choice of the theme is made anew."""
    page.emulate_media(color_scheme="light")
    page.evaluate(_CHOOSE_THEME)


def overflow(page: Page) -> list[str]:
    """How far the document is wider than the window, and by what; empty where it fits."""
    return list(page.evaluate(_BEYOND))


def links(page: Page) -> list[str]:
    """Where the page's links lead."""
    return list(page.evaluate(_LINKS))


def unsafe(addresses: list[str]) -> list[str]:
    """Those that a browser would run instead of open."""
    return [each for each in addresses if not each.startswith(_WEB_SCHEMES)]


def brightness(page: Page) -> float:
    """Of what is behind the page's text, from 0 (black) to 1 (white), as it is drawn."""
    script = """() => {
      // Kept in memory, because reading back from the graphics process may never end where there is no graphics card.
      const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
      let each = document.querySelector(".px-page");
      while (each && /^(rgba\\(0, 0, 0, 0\\)|transparent)$/.test(getComputedStyle(each).backgroundColor)) {
        each = each.parentElement;
      }
      canvas.fillStyle = each ? getComputedStyle(each).backgroundColor : "white";
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
      return (red + green + blue) / 765;
    }"""
    return float(page.evaluate(script))
