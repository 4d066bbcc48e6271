/* A field that takes values, as a person sees it: text with named values in it. It stands in front of an input or textarea,
   which holds the language's text, is what is sent, and is all there is without scripts. */
import { Content, isToken } from "./units.js";
import { documentPlace, draw, placeOfToken, redress, textIn, tokenIn, unitPlace } from "./drawing.js";
import { described, namesFor, wordsOf } from "./names.js";
import { partFor } from "./parts.js";
import { typing } from "./typing.js";
import { keys } from "./keys.js";
import { closePopoversAt } from "./popover.js";
import { listOf } from "./rows.js";

/* What a screen reader is told about the input goes for what stands in front of it. */
const COPIED = ["aria-describedby", "aria-invalid", "aria-required", "aria-label"];
let count = 0;

const idOf = (element, word) => {
  if (!element.id) element.id = `px-value-${word}-${(count += 1)}`;
  return element.id;
};

export class ValueField extends HTMLElement {
  connectedCallback() {
    this.prepare();
  }

  /* Build what is missing, and follow what the input says now; done again after each swap. */
  prepare() {
    const source = this.querySelector(":scope > :is(input, textarea)");
    if (!source || !partFor(this, "field")) return;
    if (source !== this.source) this.follow(source);
    if (this.editor?.parentNode !== this) this.build();
    this.takeLabel();
    this.sync();
  }

  follow(source) {
    this.source = source;
    this.content ??= new Content(source.value);
    source.addEventListener("input", () => this.isWriting || this.sync());
    source.form?.addEventListener("reset", () => setTimeout(() => this.sync()));
  }

  build() {
    const made = partFor(this, "field");
    this.editor = made.querySelector("[role=textbox]");
    this.opener = made.querySelector("[data-px-pick]");
    this.back = made.querySelector("[data-px-back]");
    this.said = made.querySelector("[aria-live]");
    this.append(...made.childNodes);
    this.editor.ariaMultiLine = String(this.isMultiLine);
    typing(this);
    keys(this);
    this.opener.addEventListener("click", () => this.openPicker());
    this.back.addEventListener("click", () => this.showAsText(false));
    this.editor.addEventListener("click", (event) => this.clicked(event));
    this.editor.addEventListener("focus", () => { this.before = this.source.value; });
    this.editor.addEventListener("blur", () => this.left());
    draw(this.editor, this.content.units, this.names);
  }

  get names() {
    return namesFor(this);
  }

  get isMultiLine() {
    return this.source.localName === "textarea";
  }

  get isText() {
    return this.editor.hidden;
  }

  /* The input's label names what stands in front of it. A label can only point at an input, so clicks are passed on. */
  takeLabel() {
    const label = this.source.labels?.[0];
    if (label && !this.isText) {
      this.label = label;
      label.htmlFor = idOf(this.editor, "editor");
      label.onclick = () => (this.isText ? this.source : this.editor).focus();
    }
    if (this.label && !this.isText) this.editor.setAttribute("aria-labelledby", idOf(this.label, "label"));
    const name = this.label?.firstChild.textContent ?? this.source.ariaLabel ?? "";
    this.opener.ariaLabel = `${this.opener.dataset.pxPick} ${name.trim()}`;
  }

  /* What the input says, where it is not what is shown. */
  sync() {
    for (const name of COPIED) {
      const value = this.source.getAttribute(name);
      if (value === null) this.editor.removeAttribute(name);
      else this.editor.setAttribute(name, value);
    }
    this.editor.dataset.placeholder = this.source.placeholder;
    if (this.source.value !== this.content.text) {
      closePopoversAt(this.editor);
      this.content.reset(this.source.value);
      this.show();
    }
    redress(this.editor, this.names);
  }

  show() {
    draw(this.editor, this.content.units, this.names);
    if (document.activeElement === this.editor) this.putCaret();
  }

  putCaret() {
    const { start, end } = this.content;
    const places = [...documentPlace(this.editor, start), ...documentPlace(this.editor, end)];
    document.getSelection().setBaseAndExtent(...places);
  }

  /* What is selected in the document now; as it was last, when the person is elsewhere. */
  readCaret() {
    const { anchorNode, anchorOffset, focusNode, focusOffset } = document.getSelection();
    if (!this.editor.contains(anchorNode) || !this.editor.contains(focusNode)) return this.content;
    const ends = [unitPlace(this.editor, anchorNode, anchorOffset), unitPlace(this.editor, focusNode, focusOffset)];
    this.content.select(Math.min(...ends), Math.max(...ends));
    return this.content;
  }

  /* The place among the units that moves when the person moves. */
  caretPlace() {
    const { focusNode, focusOffset } = document.getSelection();
    return unitPlace(this.editor, focusNode, focusOffset);
  }

  /* Put a text, which may hold values, where the units between two places are. */
  replace(start, end, text, kind = "") {
    this.content.replace(start, end, this.isMultiLine ? text : text.replace(/\s*[\r\n]+\s*/g, " "), kind);
    this.write();
  }

  travel(back) {
    if (back ? this.content.undo() : this.content.redo()) this.write();
  }

  /* What an input method or the browser itself has changed. */
  readBack() {
    const { start } = this.readCaret();
    const text = textIn(this.editor);
    if (text === this.content.text) return;
    this.content.replace(0, this.content.units.length, text, "composed");
    this.content.select(Math.min(start, this.content.units.length));
    this.write();
  }

  write() {
    this.show();
    this.isWriting = true;
    this.source.value = this.content.text;
    this.source.dispatchEvent(new Event("input", { bubbles: true }));
    this.isWriting = false;
  }

  left() {
    if (this.source.value !== this.before) this.source.dispatchEvent(new Event("change", { bubbles: true }));
    this.before = this.source.value;
  }

  focus() {
    if (this.isText) return this.source.focus();
    const holder = this.closest("details");
    if (holder) holder.open = true;
    this.editor.focus();
    this.putCaret();
  }

  clicked(event) {
    const element = tokenIn(this.editor, event.target);
    if (element) this.openToken(placeOfToken(element));
  }

  /* The one value that is selected, or stands right beside the caret; -1 if none does. */
  tokenPlace({ isBeside = false } = {}) {
    const { start, end, units } = this.readCaret();
    if (end - start === 1 && isToken(units[start])) return start;
    if (!isBeside || start !== end) return -1;
    return [start - 1, start].find((place) => isToken(units[place])) ?? -1;
  }

  say(place) {
    const unit = this.content.units[place];
    const told = isToken(unit) ? described(unit.source, this.names) : null;
    this.said.textContent = told ? [wordsOf(told), told.example].filter(Boolean).join(": ") : "";
  }

  openPicker({ typed = "" } = {}) {
    this.readCaret();
    this.dispatchEvent(new CustomEvent("px-value-pick", { bubbles: true, detail: { field: this, typed } }));
  }

  openToken(place) {
    this.content.select(place, place + 1);
    this.dispatchEvent(new CustomEvent("px-value-token", { bubbles: true, detail: { field: this, place } }));
  }

  /* The list that the field's row is repeated for. */
  get listOfRow() {
    return listOf(this.source);
  }

  /* The language's own text, for those who know it; and back. */
  showAsText(isText) {
    this.editor.hidden = this.opener.hidden = isText;
    this.back.hidden = !isText;
    if (isText) {
      this.editor.removeAttribute("aria-labelledby");
      if (this.label) this.label.htmlFor = idOf(this.source, "source");
    } else this.prepare();
    this.focus();
  }
}
