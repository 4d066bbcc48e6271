/* Keys in a field: the arrows pass a value in one step, undo and redo are ours, and a selected value opens with Enter. */
import { isToken } from "./units.js";
import { documentPlace } from "./drawing.js";

const isRightToLeft = (editor) => getComputedStyle(editor).direction === "rtl";

const moveBy = (field, step, isExtending) => {
  const selection = document.getSelection();
  const { units } = field.content;
  const caret = field.caretPlace();
  if (!isToken(units[step > 0 ? caret : caret - 1])) return false;
  const [node, offset] = documentPlace(field.editor, caret + step);
  if (isExtending) selection.extend(node, offset);
  else selection.collapse(node, offset);
  field.say(step > 0 ? caret : caret - 1);
  return true;
};

const arrow = (field, event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { start, end } = field.readCaret();
  if (start !== end && !event.shiftKey) return false;
  const isForward = (event.key === "ArrowRight") !== isRightToLeft(field.editor);
  return moveBy(field, isForward ? 1 : -1, event.shiftKey);
};

const enter = (field) => {
  const place = field.tokenPlace();
  if (place >= 0) {
    field.openToken(place);
    return true;
  }
  return false;
};

/* Enter sends a form from a field of one line, as it does from an input, unless it has another meaning there. */
document.addEventListener("keydown", (event) => {
  const isPlain = event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.isComposing;
  const field = isPlain && !event.defaultPrevented && event.target.closest?.(".px-value-editor")?.parentNode;
  if (!field || field.isMultiLine) return;
  event.preventDefault();
  const { form } = field.source;
  form?.requestSubmit(form.querySelector("[type=submit], button:not([type])"));
});

const open = (field) => {
  const place = field.tokenPlace({ isBeside: true });
  if (place >= 0) field.openToken(place);
  else field.openPicker();
  return true;
};

const handled = (field, event) => {
  const isCommand = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (isCommand && !event.altKey && (key === "z" || key === "y")) {
    field.travel(key === "z" && !event.shiftKey);
    return true;
  }
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") return arrow(field, event);
  if (event.key === "Enter" && !isCommand && !event.shiftKey) return enter(field);
  return event.key === "ArrowDown" && event.altKey ? open(field) : false;
};

export const keys = (field) => {
  field.editor.addEventListener("keydown", (event) => {
    if (!event.isComposing && handled(field, event)) event.preventDefault();
  });
};
