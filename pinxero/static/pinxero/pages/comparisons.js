/* A comparison: the type narrows the list of comparisons, and only the values it needs are shown. The value on the left decides
   the type until somebody chooses one. What each comparison says with the sample is put below it. */
const allGroups = new WeakMap();

const partsOf = (row) => ({
  type: row.querySelector("[data-px-type] select"),
  operator: row.querySelector("[data-px-operator]"),
  chosen: row.querySelector("[data-px-chosen]"),
});

const showOperands = (row) => {
  const { type, operator } = partsOf(row);
  const chosen = operator.selectedOptions[0];
  const count = Number(chosen ? chosen.dataset.operands : 0);
  row.querySelectorAll("[data-px-operand]").forEach((field) => { field.hidden = Number(field.dataset.pxOperand) > count; });
  row.querySelector("[data-px-case]").hidden = type.value !== "text" && type.value !== "list";
};

const showOperators = (row) => {
  const { type, operator } = partsOf(row);
  const chosen = operator.value;
  const groups = allGroups.get(operator);
  groups.forEach((group) => group.remove());
  operator.append(...groups.filter((group) => group.dataset.type === type.value));
  if ([...operator.options].some((option) => option.value === chosen)) operator.value = chosen;
  else operator.selectedIndex = 0;
  showOperands(row);
};

document.addEventListener("change", (event) => {
  const row = event.target.closest && event.target.closest("[data-px-comparison]");
  if (!row) return;
  const { type, operator, chosen } = partsOf(row);
  if (event.target === type || event.target === operator) chosen.value = "1";
  if (event.target === type) showOperators(row);
  if (event.target === operator) showOperands(row);
});

const fit = (row, fitting) => {
  const { type, chosen } = partsOf(row);
  if (!fitting || chosen.value || type.value === fitting) return false;
  type.value = fitting;
  showOperators(row);
  return true;
};

/* What was said of a type that no longer holds is asked again. */
const tell = (root) => {
  let hasChanged = false;
  root.querySelectorAll("[data-px-trial-of]").forEach((told) => {
    const place = document.getElementById(`trial-${told.dataset.pxTrialOf}`);
    if (!place) return;
    place.textContent = told.textContent;
    ["true", "false"].forEach((each) => place.classList.toggle(`px-trial--${each}`, told.dataset.pxPassed === each));
    const row = place.closest("[data-px-comparison]");
    if (row && place.parentElement === row && fit(row, told.dataset.pxFits)) hasChanged = true;
    told.remove();
  });
  if (hasChanged) document.getElementById("px-trials").closest("form").dispatchEvent(new Event("change"));
};

/* Fresh from the server a list has the comparisons of every type. */
export const wire = (root) => {
  root.querySelectorAll("[data-px-comparison]").forEach((row) => {
    const { operator } = partsOf(row);
    const groups = [...operator.querySelectorAll("optgroup")];
    if (groups.length > 1 || !allGroups.has(operator)) allGroups.set(operator, groups);
    showOperators(row);
  });
  tell(root);
};
