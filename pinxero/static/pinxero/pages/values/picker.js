/* The list of values that opens at a field: typing narrows it, arrows move in it, Enter picks. */
import { clicked, drawGroup, drawOption, mark } from "./listbox.js";
import { closePopover, openPopover, replacePopovers } from "./popover.js";
import { found, offersFor, offersOfList, withSuggested } from "./offers.js";
import { partFor } from "./parts.js";
import { mayRepeat, repeatFor } from "./rows.js";

let count = 0;

class Picker {
  constructor(field, typed) {
    this.field = field;
    this.begun = typed;
    this.shown = new Set();
    this.list = null;
    this.id = `px-picker-${(count += 1)}`;
    this.root = partFor(field, "picker").firstElementChild;
    this.search = this.root.querySelector("input");
    this.box = this.root.querySelector("[role=listbox]");
    this.none = this.root.querySelector("[data-px-none]");
    this.box.id = this.id;
    this.search.setAttribute("aria-controls", this.id);
    this.search.addEventListener("input", () => this.narrow());
    this.search.addEventListener("keydown", (event) => this.press(event));
    this.root.querySelector("[data-px-as-text]").addEventListener("click", () => this.asText());
    this.box.addEventListener("mousedown", (event) => event.preventDefault());
    this.box.addEventListener("click", (event) => this.click(event));
  }

  open() {
    this.draw();
    openPopover(this.root, this.field.editor, (how) => this.closed(how));
    this.search.focus();
  }

  get names() {
    return this.field.names;
  }

  get sections() {
    const kind = this.field.dataset.pxKind ?? "text";
    const typed = this.search.value.trim();
    if (this.list) return offersOfList(this.names, this.list, this.root.dataset, mayRepeat(this.field.source)).map((section) => narrowed(section, typed));
    const sections = typed ? found(this.names, kind, typed) : offersFor(this.names, kind, this.root.dataset, this.shown);
    return withSuggested(this.field.source, typed, this.root.dataset, sections);
  }

  draw() {
    this.options = [];
    const sections = this.sections.filter((section) => section.options.length);
    this.box.replaceChildren(...sections.map((section) => this.drawSection(section)));
    this.none.hidden = this.options.length > 0;
    this.box.hidden = !this.options.length;
    this.mark(0);
    replacePopovers();
  }

  drawSection(section) {
    const group = drawGroup(section);
    for (const option of section.options) {
      group.append(drawOption(option, `${this.id}-${this.options.length}`));
      this.options.push(option);
    }
    return group;
  }

  mark(at) {
    this.at = mark(this.search, this.box, at);
  }

  press(event) {
    if (event.isComposing) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (steps[event.key]) this.mark(this.at + steps[event.key]);
    else if (event.key === "Enter") this.choose(this.options[this.at]);
    else if (event.key === "Backspace" && !this.search.value && (this.list || this.begun)) this.goBack();
    else return;
    event.preventDefault();
  }

  /* What was typed after "/" was no search where it begins with a space or goes on with another stroke. */
  narrow() {
    if (this.begun && /^[\s/]/.test(this.search.value)) this.finish(this.begun + this.search.value);
    else this.draw();
  }

  goBack() {
    if (!this.list) return this.finish("");
    this.list = null;
    return this.draw();
  }

  click(event) {
    const option = this.options[clicked(event)];
    if (option) this.choose(option);
  }

  choose(option) {
    if (!option) {
      if (this.begun) this.finish(this.begun + this.search.value);
    } else if (option.kind === "more") this.showMore(option.key);
    else if (option.kind === "list" && this.field.dataset.pxKind !== "list") this.openList(option.value);
    else if (option.kind === "row") this.repeat(option);
    else this.finish(option.source);
  }

  repeat({ source, list }) {
    this.finish(source);
    repeatFor(this.field.source, list);
  }

  showMore(key) {
    const { at } = this;
    this.shown.add(key);
    this.draw();
    this.mark(at);
  }

  openList(value) {
    this.list = value;
    this.search.value = "";
    this.draw();
  }

  asText() {
    this.begun = "";
    closePopover(this.root, { byClick: true });
    this.field.showAsText(true);
  }

  finish(text) {
    const { start, end } = this.field.content;
    if (text) this.field.replace(start, end, text);
    this.begun = "";
    closePopover(this.root);
  }

  /* "/" and then Escape is just that. */
  closed({ byKey, byClick }) {
    const { start, end } = this.field.content;
    if (byKey && this.begun) this.field.replace(start, end, this.begun);
    if (!byClick) this.field.focus();
  }
}

const narrowed = (section, typed) => {
  const wanted = typed.toLowerCase();
  return { ...section, options: section.options.filter((each) => each.label.toLowerCase().includes(wanted)) };
};

document.addEventListener("px-value-pick", ({ detail }) => new Picker(detail.field, detail.typed).open());
