/* Fields that take values: tokens instead of syntax, a list of values at the field, and what the field gives now. */
import { settle } from "./gives.js";
import "./picker.js";
import "./token_form.js";
import { ValueField } from "./field.js";

customElements.define("px-value", ValueField);

/* What was built in front of an input outlives that the form is brought up to date. */
const { callbacks } = Idiomorph.defaults;
callbacks.beforeNodeRemoved = (node) => !(node.classList?.contains("px-value-own") && node.parentNode.localName === "px-value");

window.addEventListener("pageshow", () => wire(document));

export const wire = (root) => root.querySelectorAll("px-value").forEach((field) => {
  field.prepare();
  settle(field);
});
