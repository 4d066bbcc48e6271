/* A step's card dragged by its handle to another place; an extra beside the buttons, which do it without a mouse. The place
   nearest to the pointer is marked. Where the step cannot stand, which is inside itself, the card says so and a drop does
   nothing; what else the server knows better it refuses in a sentence. */
const PLACE = "[data-px-place]";
let dragged = null;
let place = null;

const flow = () => document.getElementById("flow");

const distance = (each, x, y) => {
  const box = each.getBoundingClientRect();
  return Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
};

const nearest = (x, y) => {
  const all = [...flow().querySelectorAll(PLACE)].filter((each) => each.checkVisibility());
  return all.map((each) => [distance(each, x, y), each]).sort((a, b) => a[0] - b[0])[0]?.[1] ?? null;
};

/* Right before itself and right after itself, where it stands already. */
const isOwn = (card, there) => there === card.previousElementSibling || there === card.nextElementSibling;

const mark = (there) => {
  const isInside = Boolean(there && dragged.contains(there));
  const next = there && !isInside && !isOwn(dragged, there) ? there : null;
  dragged.classList.toggle("px-drag--refused", isInside);
  if (next === place) return;
  place?.classList.remove("px-drop");
  next?.classList.add("px-drop");
  place = next;
};

const end = () => {
  if (!dragged) return;
  mark(null);
  dragged.classList.remove("px-drag", "px-drag--refused");
  dragged = null;
};

const move = (card, there) => {
  const values = {
    place: there.dataset.pxPlace,
    _revision: flow().dataset.pxOrder,
    csrfmiddlewaretoken: card.querySelector("[name=csrfmiddlewaretoken]").value,
  };
  const address = card.querySelector("[data-px-drag]").dataset.pxDrag;
  /* Whoever goes on with the keyboard goes on at the step that was moved. */
  card.querySelector("[data-px-open]").focus({ preventScroll: true });
  htmx.ajax("POST", address, { source: flow(), target: "#flow", select: "#flow", swap: "morph:outerHTML show:none", values });
};

document.addEventListener("dragstart", (event) => {
  const handle = event.target.closest && event.target.closest("[data-px-drag]");
  if (!handle) return;
  dragged = handle.closest("li");
  const box = dragged.getBoundingClientRect();
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", "");
  event.dataTransfer.setDragImage(dragged, event.clientX - box.left, event.clientY - box.top);
  /* The picture under the pointer is taken first. */
  setTimeout(() => dragged?.classList.add("px-drag"));
});

document.addEventListener("dragover", (event) => {
  if (!dragged) return;
  mark(flow().contains(event.target) ? nearest(event.clientX, event.clientY) : null);
  if (!place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
});

document.addEventListener("drop", (event) => {
  if (!dragged || !place) return;
  event.preventDefault();
  const [card, there] = [dragged, place];
  end();
  move(card, there);
});

document.addEventListener("dragend", end);
