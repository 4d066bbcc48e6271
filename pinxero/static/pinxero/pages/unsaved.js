/* Whoever leaves a form of the editor with something typed and not saved is asked first: by the page's own dialog where
   only the panel would change, else by the browser. */
const FORM = "px-form";
const PANEL = "panel";
const OWN = new Set(["csrfmiddlewaretoken", "_revision"]);

const formOf = () => document.getElementById(FORM);
const stateOf = (form) => JSON.stringify([...new FormData(form)].filter(([name, value]) => !OWN.has(name) && typeof value === "string"));

let kept = "";
let isSaving = false;

const keep = () => { kept = formOf() ? stateOf(formOf()) : ""; };

const isUnsaved = () => {
  const form = formOf();
  const mark = form && form.elements._revision;
  return Boolean(mark) && !isSaving && (mark.matches("[data-px-unsaved]") || stateOf(form) !== kept);
};

/* After what the other scripts have done to the form. */
window.setTimeout(keep);

["htmx:afterSwap", "htmx:afterSettle"].forEach((name) => document.addEventListener(name, (event) => {
  if (event.detail.target.id !== PANEL) return;
  isSaving = false;
  keep();
}));

document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt === formOf()) isSaving = true; });
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt.id === FORM) isSaving = false; });
document.addEventListener("submit", (event) => { if (event.target === formOf() && !event.defaultPrevented) isSaving = true; });

window.addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });

document.addEventListener("htmx:confirm", (event) => {
  const { elt, target, issueRequest } = event.detail;
  const dialog = document.getElementById("px-leave");
  if (!dialog || !target || target.id !== PANEL || elt === formOf() || !isUnsaved()) return;
  event.preventDefault();
  dialog.onclose = () => { if (dialog.returnValue === "leave") issueRequest(true); };
  dialog.returnValue = "";
  dialog.showModal();
});
