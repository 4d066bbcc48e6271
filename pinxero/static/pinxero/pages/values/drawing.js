/* The units of a field as elements, and places among them as places in the document. Text and tokens are the only children;
   where no text stands beside a token, an invisible character does, or browsers would draw no caret there. */
import { isToken } from "./units.js";
import { described, wordsOf } from "./names.js";

const FILLER = "\u200b";
const fillers = new WeakSet();
const tokens = new WeakMap();

const textNode = (text) => document.createTextNode(text);

const fillerNode = () => {
  const node = textNode(FILLER);
  fillers.add(node);
  return node;
};

const part = (className, text) => {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
};

const tokenNode = (unit, names) => {
  const element = document.createElement("span");
  element.contentEditable = "false";
  element.dir = "auto";
  tokens.set(element, unit);
  dress(element, unit, names);
  return element;
};

/* The name, the origin and the functions of a token; its example is in its title. */
const dress = (element, unit, names) => {
  const told = described(unit.source, names);
  element.className = told.isComplex ? "px-chip px-chip--complex" : "px-chip";
  element.title = told.isComplex ? unit.source : [wordsOf(told), told.example].filter(Boolean).join(": ");
  element.replaceChildren(part("px-chip-name", told.name));
  if (told.origin) element.append(part("px-chip-origin", ` · ${told.origin}`));
  told.functions.forEach((each) => element.append(part("px-chip-function", `, ${each}`)));
};

/* Runs of characters, and tokens. */
const runsOf = (units) => {
  const runs = [""];
  for (const unit of units) {
    if (isToken(unit)) runs.push(unit, "");
    else runs[runs.length - 1] += unit;
  }
  return runs;
};

const fits = (node, run) => {
  if (!node) return false;
  if (isToken(run)) return tokens.get(node)?.source === run.source;
  return run ? node.nodeType === Node.TEXT_NODE && !fillers.has(node) : fillers.has(node) && node.nodeValue === FILLER;
};

const fresh = (run, names) => {
  if (isToken(run)) return tokenNode(run, names);
  return run ? textNode(run) : fillerNode();
};

/* Bring the children up to date, leaving alone what is the same: the browser keeps its spelling marks there. */
export const draw = (editor, units, names) => {
  const runs = runsOf(units);
  if (runs.length === 1 && !runs[0]) return editor.replaceChildren();
  const old = [...editor.childNodes];
  const wanted = runs.map((run, index) => {
    if (!fits(old[index], run)) return fresh(run, names);
    if (!isToken(run) && old[index].nodeValue !== run) old[index].nodeValue = run;
    return old[index];
  });
  if (units.at(-1) === "\n") wanted.push(document.createElement("br"));
  if (wanted.length !== old.length || wanted.some((node, index) => node !== old[index])) editor.replaceChildren(...wanted);
};

/* Names may have changed: a step was renamed, a form brought up to date. */
export const redress = (editor, names) => {
  for (const node of editor.childNodes) if (tokens.has(node)) dress(node, tokens.get(node), names);
};

const lengthOf = (node) => {
  if (tokens.has(node)) return 1;
  return fillers.has(node) ? 0 : node.nodeType === Node.TEXT_NODE ? node.nodeValue.length : 0;
};

const lengthBefore = (node) => {
  let length = 0;
  for (let each = node.previousSibling; each; each = each.previousSibling) length += lengthOf(each);
  return length;
};

/* The place among the units of a place in the document. */
export const unitPlace = (editor, node, offset) => {
  if (node === editor) return [...editor.childNodes].slice(0, offset).reduce((sum, each) => sum + lengthOf(each), 0);
  if (node.parentNode === editor && node.nodeType === Node.TEXT_NODE) return lengthBefore(node) + Math.min(offset, lengthOf(node));
  let child = node;
  while (child && child.parentNode !== editor) child = child.parentNode;
  return child ? lengthBefore(child) + (offset > 0 ? 1 : 0) : 0;
};

/* The place in the document of a place among the units: in a text wherever there is one. */
export const documentPlace = (editor, place) => {
  let rest = place;
  for (const node of editor.childNodes) {
    if (node.nodeType === Node.TEXT_NODE && rest <= lengthOf(node)) return [node, fillers.has(node) ? node.nodeValue.length : rest];
    rest -= lengthOf(node);
  }
  return [editor, editor.childNodes.length];
};

export const tokenIn = (editor, node) => {
  const element = node instanceof Element ? node.closest(".px-chip") : node?.parentElement?.closest(".px-chip");
  return element && element.parentNode === editor ? element : null;
};

export const placeOfToken = (element) => lengthBefore(element);

/* What stands in the document, after an input method or the browser has changed it. */
export const textIn = (editor) => [...editor.childNodes].map((node) => {
  if (tokens.has(node)) return tokens.get(node).source;
  if (fillers.has(node)) return node.nodeValue.replace(FILLER, "");
  if (node.localName === "br") return node === editor.lastChild ? "" : "\n";
  return node.textContent;
}).join("");
