/* The form that opens on a value in a field: what is done with it, one small form per function, and what it gives at once. */
import { callWith, callsOf, formsOf, newCall, shownValue, typedValue, valuesOf } from "./calls.js";
import { evaluated } from "./gives.js";
import { clicked, drawGroup, drawOption, mark } from "./listbox.js";
import { described, wordsOf } from "./names.js";
import { partFor } from "./parts.js";
import { read, split, write } from "./pieces.js";
import { closePopover, openPopover, replacePopovers } from "./popover.js";

const PAUSE_MILLISECONDS = 200;
const MOST = 40;
const FALLBACK = { name: "fallback", type: "any", required: true, default: "" };
let count = 0;

class TokenForm {
  constructor(field, place) {
    Object.assign(this, { field, place, names: field.names, id: `px-token-form-${(count += 1)}` });
    this.root = partFor(field, "token").firstElementChild;
    this.find("name").textContent = wordsOf({ ...this.told, functions: [] });
    this.find("example").textContent = this.told.example ?? "";
    this.search = this.find("adding").querySelector("input");
    this.box = this.root.querySelector("[role=listbox]");
    this.box.id = this.id;
    this.search.setAttribute("aria-controls", this.id);
    this.forms = this.told.isComplex ? [] : formsOf(this.told.parts.calls, this.names.functions);
    this.wire();
  }

  get source() {
    return this.field.content.units[this.place].source;
  }

  get told() {
    return described(this.source, this.names);
  }

  find(name) {
    return this.root.querySelector(`[data-px-${name}]`);
  }

  wire() {
    this.search.addEventListener("input", () => this.drawFunctions());
    this.search.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("mousedown", (event) => event.preventDefault());
    this.box.addEventListener("click", (event) => this.add(this.offered[clicked(event)]));
    this.find("done").addEventListener("click", () => closePopover(this.root));
    this.find("remove").addEventListener("click", () => this.remove());
    this.find("as-text").addEventListener("click", () => this.asText());
    this.find("text").addEventListener("input", (event) => this.writeText(event.target.value));
  }

  open() {
    const { isComplex } = this.told;
    this.find("adding").hidden = this.find("calls").hidden = isComplex;
    this.find("text").hidden = !isComplex;
    this.find("text").value = this.source;
    this.draw();
    openPopover(this.root, this.field.editor, ({ byClick }) => byClick || this.field.focus());
    (isComplex ? this.find("text") : this.search).focus();
    this.evaluate();
  }

  /* --- what is done with it --- */

  draw() {
    this.find("calls").replaceChildren(...this.forms.map((form, index) => this.drawCall(form, index)));
    this.drawFunctions();
  }

  drawCall(form, index) {
    const made = partFor(this.field, "call").firstElementChild;
    made.querySelector("legend").textContent = form.known?.label ?? form.call.name;
    made.querySelector("[data-px-summary]").textContent = form.known?.summary ?? "";
    const remove = made.querySelector("button");
    remove.ariaLabel = `${remove.title} ${form.known?.label ?? form.call.name}`;
    remove.addEventListener("click", () => this.removeCall(index));
    const place = made.querySelector("[data-px-arguments]");
    if (form.known) place.append(...this.drawArguments(form));
    if (form.known?.canMiss) place.append(this.drawIfNone(form));
    return made;
  }

  drawArguments(form) {
    const values = valuesOf(form.call, form.known);
    return form.known.parameters.map((parameter, index) => this.drawArgument(parameter, values[index], (text) => {
      values[index] = text;
      form.call = callWith(form.call.name, form.known, values);
      this.write(`${parameter.name} of ${form.call.name}`);
    }));
  }

  drawArgument(parameter, value, onChange) {
    return parameter.choices?.length ? this.drawChoice(parameter, value, onChange) : this.drawTyped(parameter, value, onChange);
  }

  drawChoice(parameter, value, onChange) {
    const made = partFor(this.field, "choice").firstElementChild;
    const list = made.querySelector("select");
    const chosen = value || parameter.default;
    const known = parameter.choices.some(([each]) => each === chosen);
    const choices = known || !chosen ? parameter.choices : [...parameter.choices, [chosen, shownValue(chosen, parameter)]];
    list.append(...choices.map(([each, label]) => new Option(label, each, false, each === chosen)));
    list.addEventListener("change", () => onChange(list.value));
    return this.named(made, parameter.label, list);
  }

  drawTyped(parameter, value, onChange) {
    const made = partFor(this.field, "argument").firstElementChild;
    const input = made.querySelector("input");
    const typed = made.querySelector("px-value");
    typed.valueForm = this.field.valueForm ?? this.field.source.form;
    typed.dataset.pxKind = { text: "text", number: "number", whole: "number", date: "date", list: "list" }[parameter.type] ?? "any";
    input.value = shownValue(value, parameter);
    input.addEventListener("input", () => onChange(typedValue(input.value, parameter)));
    return this.named(made, parameter.label, input);
  }

  named(made, label, input) {
    input.id = `${this.id}-argument-${(count += 1)}`;
    const name = made.querySelector("label");
    name.htmlFor = input.id;
    name.textContent = label;
    return made;
  }

  /* "If there is none: stop, or use something else." */
  drawIfNone(form) {
    const made = partFor(this.field, "if-none").firstElementChild;
    const list = made.querySelector("select");
    this.named(made, made.querySelector("label").textContent, list);
    list.value = form.ifNone ? "use" : "stop";
    const instead = this.drawTyped({ ...FALLBACK, label: made.dataset.pxInstead }, form.ifNone?.given[0]?.text ?? "", (text) => {
      form.ifNone = { name: "default", given: [{ name: "", text: text || '""' }] };
      this.write();
    });
    instead.hidden = !form.ifNone;
    list.addEventListener("change", () => {
      form.ifNone = list.value === "use" ? { name: "default", given: [{ name: "", text: "0" }] } : null;
      this.write();
      this.draw();
      this.focusAgain(form);
    });
    made.append(instead);
    return made;
  }

  focusAgain(form) {
    this.find("calls").children[this.forms.indexOf(form)].querySelector("[data-px-if-none] select").focus();
  }

  removeCall(index) {
    this.forms.splice(index, 1);
    this.write();
    this.draw();
    this.search.focus();
  }

  /* --- adding a function --- */

  drawFunctions() {
    const sections = this.sections;
    this.offered = sections.flatMap((section) => section.options);
    let at = 0;
    this.box.replaceChildren(...sections.map((section) => {
      const group = drawGroup(section);
      section.options.forEach((each) => group.append(drawOption({ kind: "value", label: each.label, example: each.summary }, `${this.id}-${at++}`)));
      return group;
    }));
    this.box.hidden = !this.offered.length;
    this.find("none").hidden = this.offered.length > 0;
    this.at = mark(this.search, this.box, 0);
    replacePopovers();
  }

  get sections() {
    const wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...this.names.functions.values()];
    const fitting = (each) => (each.takes === this.kind || each.takes === "any" ? 0 : 1);
    const has = (each) => wanted.every((word) => `${each.label} ${each.summary} ${each.name}`.toLowerCase().includes(word));
    const found = wanted.length ? all.filter(has) : all.filter((each) => each.usual);
    const named = (each) => (wanted.length && each.label.toLowerCase().includes(wanted[0]) ? 0 : 1);
    const options = found.sort((a, b) => named(a) - named(b) || fitting(a) - fitting(b)).slice(0, MOST);
    return options.length ? [{ label: this.box.dataset[wanted.length ? "pxFound" : "pxUsual"], options }] : [];
  }

  press(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (steps[event.key]) this.at = mark(this.search, this.box, this.at + steps[event.key]);
    else if (event.key === "Enter" && !event.isComposing) {
      if (this.offered[this.at]) this.add(this.offered[this.at]);
    } else return;
    event.preventDefault();
  }

  add(known) {
    if (!known) return;
    this.forms.push({ call: newCall(known), known, ifNone: null });
    this.search.value = "";
    this.write();
    this.draw();
    const inputs = this.find("calls").lastElementChild.querySelectorAll("px-value, select");
    (inputs[0] ?? this.search).focus();
  }

  /* --- the field --- */

  /* What is typed into one argument is undone at once; adding and removing are steps of their own. */
  write(kind = "") {
    const { base } = read(this.source);
    this.put(write({ base, calls: callsOf(this.forms) }), kind);
  }

  writeText(text) {
    const pieces = split(text.trim());
    if (pieces.length === 1 && pieces[0].source) this.put(pieces[0].source, "text");
  }

  put(source, kind) {
    this.field.replace(this.place, this.place + 1, source, kind);
    this.evaluate();
  }

  remove() {
    this.field.replace(this.place, this.place + 1, "");
    closePopover(this.root);
  }

  asText() {
    closePopover(this.root, { byClick: true });
    this.field.showAsText(true);
  }

  evaluate() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show().catch(() => {}), PAUSE_MILLISECONDS);
  }

  async show() {
    const { source } = this;
    const [given] = await evaluated(this.field, [source], [this.field.listOfRow]);
    if (!given || !this.root.isConnected || source !== this.source) return;
    const result = this.find("result");
    result.classList.toggle("px-gives--bad", Boolean(given.error));
    result.querySelector("span").textContent = result.dataset[given.error ? "pxError" : "pxValue"];
    result.querySelector("strong").textContent = given.error || given.value;
    this.kind = given.kind;
    if (!this.search.value) this.drawFunctions();
  }
}

document.addEventListener("px-value-token", ({ detail }) => new TokenForm(detail.field, detail.place).open());
