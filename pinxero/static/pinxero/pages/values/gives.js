/* Under each field, what it gives now with the sample. Fields that change are asked about together, when typing has paused. */
import { namesFor } from "./names.js";
import { partFor } from "./parts.js";

const PAUSE_MILLISECONDS = 350;
const shownAt = (field) => [...field.querySelectorAll(":scope > .px-gives")];
const isOwn = (each) => each.classList.contains("px-value-own");
const show = (field, { value, error }) => {
  shownAt(field).forEach((each) => each.remove());
  if (!value && !error) return;
  const made = partFor(field, error ? "gives-error" : "gives").firstElementChild;
  made.querySelector(error ? "span" : "strong").textContent = error || value;
  field.append(made);
};

/* Where the server has said it since, only that stays. */
export const settle = (field) => {
  if (!shownAt(field).every(isOwn)) shownAt(field).filter(isOwn).forEach((each) => each.remove());
};

const waiting = new Map();
let timer = 0;

export const evaluated = async (element, sources, lists = []) => {
  const form = element.valueForm ?? element.closest("form");
  const body = new URLSearchParams();
  sources.forEach((source, index) => {
    body.append("source", source);
    body.append("each", lists[index] ?? "");
  });
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(namesFor(element).evaluate, { method: "POST", body, headers: { "X-CSRFToken": token } });
  return answer.ok ? (await answer.json()).given : [];
};

const askAbout = async (fields) => {
  const texts = fields.map((field) => field.source.value);
  const given = await evaluated(fields[0], texts, fields.map((field) => field.listOfRow));
  fields.forEach((field, index) => {
    if (given[index] && field.source.value === texts[index]) show(field, given[index]);
  });
};

const askAll = () => {
  const byForm = Map.groupBy(waiting.keys(), (field) => field.source.form);
  waiting.clear();
  for (const [form, fields] of byForm) if (form) askAbout(fields).catch(() => {});
};

document.addEventListener("input", ({ target }) => {
  const field = target.closest?.("px-value");
  if (!field?.source || target !== field.source) return;
  if (!target.value.includes("{{")) {
    waiting.delete(field);
    show(field, {});
    return;
  }
  waiting.set(field, true);
  clearTimeout(timer);
  timer = setTimeout(askAll, PAUSE_MILLISECONDS);
});
