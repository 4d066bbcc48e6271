/* What somebody types or picks while a form is being brought up to date stays: only what was sent is answered. */
const FIELDS = "input:not([type=hidden], [type=file]), select, textarea";
const sent = new WeakMap();
const chosen = new WeakMap();
let answered = new Map();

const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
const valueOf = (field) => (isTicked(field) ? field.checked : field.value);
const isList = (node) => node.localName === "select" && !node.multiple;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { target, xhr } = event.detail;
  sent.set(xhr, new Map([...target.querySelectorAll(FIELDS)].map((field) => [field, valueOf(field)])));
});

document.addEventListener("htmx:beforeSwap", (event) => {
  answered = sent.get(event.detail.xhr) ?? new Map();
});

const handOver = (field, fresh) => {
  if (isTicked(field)) fresh.checked = field.checked;
  else if (field.localName !== "select") {
    if (field.localName === "input") fresh.setAttribute("value", field.value);
    fresh.value = field.value;
  } else if ([...fresh.options].some((option) => option.value === field.value)) fresh.value = field.value;
};

Idiomorph.defaults.callbacks.beforeNodeMorphed = (field, fresh) => {
  if (answered.has(field) && answered.get(field) !== valueOf(field)) handOver(field, fresh);
  if (isList(field)) chosen.set(field, fresh.value);
};

/* The options of a list are brought up to date one by one, which may move the choice. */
Idiomorph.defaults.callbacks.afterNodeMorphed = (field) => {
  if (isList(field)) field.value = chosen.get(field);
};
