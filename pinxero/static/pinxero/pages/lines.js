/* A table input by keyboard: Ctrl+Enter, or Enter in a line's last field, goes on in the next line and adds one where there is
   none. The focus stays in the table when a line comes or goes. What each line comes to is put beside it. */
const FIELDS = "input:not([type=hidden]), select, textarea, [contenteditable=true]";
let wanted = null;

const linesOf = (table) => [...table.querySelectorAll("[data-px-line]")];
const fieldsOf = (line) => [...line.querySelectorAll(FIELDS)].filter((field) => field.checkVisibility());
const lastOf = (line) => [...line.querySelectorAll("[data-px-cell]")].pop();

const goOn = (table, line) => {
  const lines = linesOf(table);
  const next = lines[lines.indexOf(line) + 1];
  if (next) fieldsOf(next)[0].focus();
  else table.querySelector("[data-px-add-line]").click();
};

document.addEventListener("keydown", (event) => {
  const line = event.key === "Enter" && !event.isComposing && event.target.matches(FIELDS) && event.target.closest("[data-px-line]");
  if (!line || event.shiftKey || event.altKey) return;
  const isLast = lastOf(line)?.contains(event.target) && event.target.localName !== "textarea" && event.target.ariaMultiLine !== "true";
  if (!event.ctrlKey && !event.metaKey && !isLast) return;
  event.preventDefault();
  goOn(line.closest("[data-px-lines]"), line);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-px-add-line], [data-px-remove-line]");
  if (!button) return;
  const table = button.closest("[data-px-lines]");
  const place = linesOf(table).indexOf(button.closest("[data-px-line]"));
  wanted = { table: table.id, place, count: linesOf(table).length, from: document.activeElement };
});

const focusIn = ({ table, place, count, from }) => {
  /* Whoever has gone on elsewhere meanwhile stays there. */
  if (from.isConnected && from !== document.activeElement) return;
  const lines = linesOf(document.getElementById(table));
  if (lines.length > count) fieldsOf(lines[lines.length - 1])[0].focus();
  else if (lines.length < count) {
    const line = lines[Math.min(place, lines.length - 1)];
    const there = line ? line.querySelector("[data-px-remove-line]") : document.querySelector(`#${table} [data-px-add-line]`);
    there.focus();
  }
};

export const wire = (root) => {
  root.querySelectorAll("[data-px-amount]").forEach((place) => {
    const told = root.querySelector(`[data-px-amount-of="${place.dataset.pxAmount}"]`);
    place.textContent = told ? told.textContent : "";
  });
  const before = wanted;
  if (!before || !document.getElementById(before.table)) return;
  if (linesOf(document.getElementById(before.table)).length === before.count) return;
  wanted = null;
  focusIn(before);
};
