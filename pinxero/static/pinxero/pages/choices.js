/* The list of triggers or steps to choose from: what is typed above it leaves only those that fit, and what is chosen. */
import { once } from "./once.js";

const CHOICE = ".px-choice";

const wordsOf = (choice, group) => {
  const more = choice.dataset.pxWords || "";
  return `${choice.textContent} ${more} ${group.querySelector("legend").textContent}`.toLowerCase();
};

const isChosen = (choice) => Boolean(choice.querySelector("input:checked"));

/* How many fit; one that is chosen stays to be seen, and does not count. */
const narrow = (list, typed) => {
  const wanted = typed.trim().toLowerCase().split(/\s+/);
  let all = 0;
  list.querySelectorAll("fieldset").forEach((group) => {
    let shown = 0;
    group.querySelectorAll(CHOICE).forEach((choice) => {
      const fits = wanted.every((word) => wordsOf(choice, group).includes(word));
      choice.hidden = !fits && !isChosen(choice);
      if (fits) all += 1;
      if (!choice.hidden) shown += 1;
    });
    group.hidden = shown === 0;
  });
  return all;
};

const say = (list, typed, count) => {
  const place = list.querySelector("[data-px-choice-found]");
  if (!place) return;
  const nothing = place.querySelector("[data-px-nothing]");
  nothing.hidden = count > 0;
  nothing.querySelector("q").textContent = typed.trim();
  const told = place.querySelector("[data-px-count]");
  told.textContent = typed.trim() && count ? `${count} ${count === 1 ? "fits" : "fit"}` : "";
};

const firstShown = (list) => {
  const choice = [...list.querySelectorAll(CHOICE)].find((each) => !each.hidden && !each.closest("[hidden]"));
  return choice && (choice.matches("a") ? choice : choice.querySelector("input:not(:disabled), a"));
};

const wireList = once((list) => {
  const search = list.querySelector("[data-px-choice-search] input");
  if (!search) return;
  const look = () => say(list, search.value, narrow(list, search.value));
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const first = firstShown(list);
    if (first) first.focus();
  });
  const clear = list.querySelector("[data-px-choice-clear]");
  if (clear) {
    clear.addEventListener("click", () => {
      search.value = "";
      look();
      search.focus();
    });
  }
  look();
});

export const wire = (root) => root.querySelectorAll("[data-px-choices]").forEach(wireList);
