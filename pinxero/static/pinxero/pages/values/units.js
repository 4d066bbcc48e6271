/* What stands in a field as a row of units: one per character, and one per value. With it, undo and redo. */
import { split } from "./pieces.js";

export const isToken = (unit) => typeof unit === "object" && unit !== null;

export const unitsOf = (text) => split(text).flatMap((piece) => (isToken(piece) ? [piece] : piece.split("")));

export const textOf = (units) => units.map((unit) => (isToken(unit) ? unit.source : unit)).join("");

/* The place among the units of a place in their text; within a value it is the place behind it. */
const unitAt = (units, place) => {
  let length = 0;
  let at = 0;
  while (at < units.length && length < place) length += isToken(units[at]) ? units[at++].source.length : (at += 1, 1);
  return at;
};

const MOST_STEPS = 200;
const PAUSE_MILLISECONDS = 1000;

/* The units, what is selected of them, and what they were before. */
export class Content {
  constructor(text) {
    this.reset(text);
  }

  reset(text) {
    this.units = unitsOf(text);
    this.start = this.end = this.units.length;
    this.past = [];
    this.future = [];
    this.last = { kind: "", at: 0 };
  }

  get text() {
    return textOf(this.units);
  }

  select(start, end = start) {
    [this.start, this.end] = [start, end];
  }

  /* Put a text in the place of some units. Edits of one kind that follow each other at once are undone together. */
  replace(start, end, text, kind = "") {
    this.remember(kind);
    const before = textOf(this.units.slice(0, start)) + text;
    this.units = unitsOf(before + textOf(this.units.slice(end)));
    this.select(unitAt(this.units, before.length));
  }

  remember(kind) {
    const now = Date.now();
    const goesOn = kind && kind === this.last.kind && now - this.last.at < PAUSE_MILLISECONDS;
    if (!goesOn) this.past = [...this.past, this.state].slice(-MOST_STEPS);
    this.future = [];
    this.last = { kind, at: now };
  }

  get state() {
    return { units: this.units, start: this.start, end: this.end };
  }

  undo() {
    return this.travel(this.past, this.future);
  }

  redo() {
    return this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return false;
    to.push(this.state);
    Object.assign(this, from.pop());
    this.last = { kind: "", at: 0 };
    return true;
  }
}
