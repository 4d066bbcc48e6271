/* The editor's one page: what is in the panel changes, the steps stay. After each change somebody with a keyboard or a screen
   reader stands where they would look: at what is wrong, at the card that was saved, else at the panel's heading. */
import { openNamed } from "./anchors.js";

const PANEL = "panel";
const CARD = "[data-px-card]";
const OPEN = "[data-px-open]";
const CONTROLS = "a, button, summary, input, select, textarea, label";

/* Back and forward load the page of that address; nothing of a page is kept in the browser. */
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;

const cardOf = (id) => document.querySelector(`[id="${id}"] ${OPEN}`);
const cardIds = () => new Set([...document.querySelectorAll("#flow [id^=step-]")].map((each) => each.id));

/* A click beside a card's buttons opens it too; only one on plain text, so that words can be marked and copied. */
document.addEventListener("click", (event) => {
  const card = event.target.closest && event.target.closest(CARD);
  if (!card || event.target.closest(CONTROLS) || String(window.getSelection())) return;
  const link = card.querySelector(OPEN);
  if (link && link.ariaCurrent !== "true") link.click();
});

let before = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { target, requestConfig } = event.detail;
  if (!target || !document.querySelector("[data-px-editor]")) return;
  document.getElementById("px-trouble").hidden = true;
  if (target.id !== PANEL && target.id !== "flow") return;
  before = { ids: cardIds(), asked: requestConfig.verb, path: requestConfig.path, focused: document.activeElement.id, from: window.location.pathname };
});

/* The card of what was posted: a new one, else the one whose form it was. */
const cardAfter = ({ ids, path }) => {
  const fresh = [...cardIds()].find((id) => !ids.has(id));
  const step = /\/steps\/(\d+)\//.exec(path);
  const place = fresh ?? (step && `step-${step[1]}`) ?? (path.includes("/trigger/") ? "trigger" : "");
  return place && cardOf(place);
};

const wrongIn = (panel) =>
  [...panel.querySelectorAll("[aria-invalid=true]")].find((field) => field.checkVisibility()) ?? panel.querySelector("[role=alert]");

const stand = (place) => {
  if (!place) return;
  if (!place.matches("a, button, input, select, textarea, [contenteditable=true]")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: place.matches("[aria-invalid=true]") ? "center" : "nearest" });
};

const standInPanel = (panel) => {
  const box = panel.getBoundingClientRect();
  if (box.top < 0 || box.top > window.innerHeight / 2) panel.scrollIntoView();
  stand(panel.querySelector("h2"));
};

document.addEventListener("htmx:afterSettle", (event) => {
  const { target } = event.detail;
  if (!before || !target || (target.id !== PANEL && target.id !== "flow")) return;
  const was = before;
  before = null;
  const panel = document.getElementById(PANEL);
  if (target.id === "flow") stand(document.getElementById(was.focused) ?? cardAfter(was));
  else if (was.asked === "post" && wrongIn(panel)) stand(wrongIn(panel));
  else if (was.asked === "get" && openNamed()) return;
  else if (panel.classList.contains("px-panel--open")) standInPanel(panel);
  else stand((was.asked === "post" && cardAfter(was)) || cardAfter({ ids: cardIds(), path: was.from }));
});

/* What could not be done is said where it was asked for. */
const tell = (event) => {
  const place = document.getElementById("px-trouble");
  if (place && event.detail.target && event.detail.target.closest("[data-px-editor]")) place.hidden = false;
};

document.addEventListener("htmx:responseError", tell);
document.addEventListener("htmx:sendError", tell);
