/* Typing in a field: what the browser is about to do is done to the units instead. What it does itself all the same, as with
   input methods, is read back when it is finished. */
import { isToken } from "./units.js";
import { unitPlace } from "./drawing.js";

const isComposed = (event) => event.isComposing || event.inputType === "insertCompositionText";
const pasted = (event) => event.data ?? event.dataTransfer?.getData("text/plain") ?? "";

/* What the browser would replace, as places among the units. */
const targetOf = (field, event) => {
  const { start, end } = field.readCaret();
  const [range] = event.getTargetRanges();
  if (!range || !field.editor.contains(range.startContainer)) return [start, end];
  return [
    unitPlace(field.editor, range.startContainer, range.startOffset),
    unitPlace(field.editor, range.endContainer, range.endOffset),
  ];
};

/* A character may take two units, and a value beside the caret is one. */
const neighbour = (units, at, step) => {
  const isPair = (first) => typeof units[first] === "string" && /[\ud800-\udbff]/.test(units[first]);
  if (step < 0) return isPair(at - 2) && !isToken(units[at - 1]) ? at - 2 : Math.max(at - 1, 0);
  return isPair(at) ? at + 2 : Math.min(at + 1, units.length);
};

const remove = (field, event) => {
  const { start, end, units } = field.readCaret();
  const isForward = event.inputType.includes("Forward");
  const beside = isForward ? units[start] : units[start - 1];
  let [from, to] = targetOf(field, event);
  const isOne = event.inputType === "deleteContentForward" || event.inputType === "deleteContentBackward";
  if (start === end && isOne && (isToken(beside) || from === to)) {
    const other = neighbour(units, start, isForward ? 1 : -1);
    [from, to] = [Math.min(start, other), Math.max(start, other)];
  }
  if (from !== to) field.replace(from, to, "", event.inputType);
};

const startsWord = ({ units, start, end }) => start === end && (start === 0 || /\s/.test(units[start - 1]));

const insert = (field, event, text) => {
  if (text === "/" && event.inputType === "insertText" && startsWord(field.readCaret())) return field.openPicker({ typed: "/" });
  const [from, to] = targetOf(field, event);
  const isTyped = event.inputType === "insertText" && text.length === 1 && from === to;
  return field.replace(from, to, text, isTyped ? "typed" : "");
};

const change = (field, event) => {
  const kind = event.inputType;
  if (kind === "historyUndo" || kind === "historyRedo") field.travel(kind === "historyUndo");
  else if (kind.startsWith("delete")) remove(field, event);
  else if (kind === "insertLineBreak" || kind === "insertParagraph") {
    if (field.isMultiLine) insert(field, event, "\n");
  } else if (kind.startsWith("insert")) insert(field, event, pasted(event).replace(/\r\n?/g, "\n"));
};

/* A copy is the language's text: put into such a field again, it is values again. */
const copy = (field, event) => {
  const { start, end, units } = field.readCaret();
  if (start === end) return;
  event.preventDefault();
  event.clipboardData.setData("text/plain", units.slice(start, end).map((unit) => unit.source ?? unit).join(""));
  if (event.type === "cut") field.replace(start, end, "");
};

export const typing = (field) => {
  const { editor } = field;
  editor.addEventListener("beforeinput", (event) => {
    if (isComposed(event)) return;
    event.preventDefault();
    change(field, event);
  });
  editor.addEventListener("input", (event) => { if (!isComposed(event)) field.readBack(); });
  editor.addEventListener("compositionend", () => setTimeout(() => field.readBack()));
  editor.addEventListener("copy", (event) => copy(field, event));
  editor.addEventListener("cut", (event) => copy(field, event));
};
