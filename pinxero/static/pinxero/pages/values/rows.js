/* The rows of tables, by the names of their fields. */
const EACH = "~each";

/* The list that the row of an input is repeated for, as its row says; empty for a fixed row. */
export const listOf = ({ name, form }) => {
  const row = /^(.*\.\d+)\.[^.]+$/.exec(name);
  if (!row || name.includes(EACH)) return "";
  const chosen = ["~text", ""].map((ending) => form?.elements[`${row[1]}.${EACH}${ending}`]?.value);
  return chosen.find((value) => value?.trim()) ?? "";
};

const repeating = (source) => source.closest("[data-px-line]")?.querySelector("[data-px-repeat]");

/* Whether the input stands in a fixed row that can become one for each item of a list. */
export const mayRepeat = (source) => Boolean(repeating(source));

/* Let the input's row be repeated for this list; the server then draws it so. */
export const repeatFor = (source, list) => {
  const field = repeating(source);
  field.disabled = false;
  field.value = list;
  field.nextElementSibling.click();
};
