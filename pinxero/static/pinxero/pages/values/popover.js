/* What opens at a field: a small dialog that closes with Escape, with a click elsewhere, or when it has done its work. One may
   open another; they close from the last one back. */
const open = [];

const GAP = 4;
const EDGE = 8;

const place = ({ element, anchor }) => {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const room = window.innerHeight - at.bottom - GAP - EDGE;
  const above = room < height && at.top > room;
  const top = above ? at.top - GAP - height : at.bottom + GAP;
  element.style.top = `${Math.max(EDGE, Math.min(top, window.innerHeight - height - EDGE))}px`;
  element.style.left = `${Math.max(EDGE, Math.min(at.left, window.innerWidth - width - EDGE))}px`;
};

const placeAll = () => open.forEach(place);

const FOCUSABLE = "a[href], button, input, select, textarea, [contenteditable=true]";

/* The tabulator stays inside. */
const turn = (element, event) => {
  const stops = [...element.querySelectorAll(FOCUSABLE)].filter((each) => !each.disabled && each.getAttribute("tabindex") !== "-1" && each.checkVisibility());
  const [first, last] = [stops[0], stops.at(-1)];
  const leaves = event.shiftKey ? first : last;
  if (document.activeElement !== leaves) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
};

const press = (event) => {
  const top = open.at(-1);
  if (!top?.element.contains(event.target)) return;
  if (event.key === "Escape" && !event.isComposing) {
    event.preventDefault();
    event.stopPropagation();
    closePopover(top.element, { byKey: true });
  } else if (event.key === "Tab") turn(top.element, event);
};

const outside = (event) => {
  while (open.length && !open.at(-1).element.contains(event.target)) closePopover(open.at(-1).element, { byClick: true });
};

/* Close it, and those it has opened. `onClose` is told how, and brings the person back to where they were. */
export const closePopover = (element, how = {}) => {
  while (open.some((each) => each.element === element)) {
    const last = open.pop();
    last.element.remove();
    last.onClose(how);
  }
};

export const openPopover = (element, anchor, onClose) => {
  const first = open.findIndex((each) => !each.element.contains(anchor));
  if (first >= 0) closePopover(open[first].element, { byClick: true });
  open.push({ element, anchor, onClose });
  document.body.append(element);
  placeAll();
};

/* The field says something else now than what this was opened for. */
export const closePopoversAt = (anchor) => {
  const first = open.find((each) => each.anchor === anchor);
  if (first) closePopover(first.element, { byClick: true });
};

export const replacePopovers = placeAll;

document.addEventListener("keydown", press, true);
document.addEventListener("pointerdown", outside, true);
window.addEventListener("resize", placeAll);
window.addEventListener("scroll", placeAll, true);
/* A form that is brought up to date keeps its fields, and what is open at them; what stands at a field that is gone goes. */
document.addEventListener("htmx:afterSettle", () => {
  const gone = open.find(({ anchor }) => !anchor.isConnected);
  if (gone) closePopover(gone.element, { byClick: true });
  placeAll();
});
