/* An address that ends in a field's id opens that field: whoever comes from what is wrong stands there at once. Of a table
   it is the first field; what stands in for a field takes the focus for it. */
const FIELDS = "px-value, input:not([type=hidden]), select, textarea";
const placeIn = (field) => (field.matches(FIELDS) ? field : field.querySelector(FIELDS)) ?? field;

/* Opens the field that the address names, and says whether there is one. */
export const openNamed = () => {
  const id = decodeURIComponent(window.location.hash.slice(1));
  const field = id && (document.getElementById(id) ?? document.querySelector(`[id^="${CSS.escape(id)}-"]`));
  if (!field || !field.closest("form")) return false;
  for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  const place = placeIn(field);
  (place.closest("px-value") ?? place).focus();
  place.scrollIntoView({ block: "center" });
  return true;
};

window.addEventListener("hashchange", openNamed);
/* After the browser itself has gone to the place, which takes the focus away. */
window.addEventListener("load", () => setTimeout(openNamed));
