/* The language's text, taken apart as far as a field shows it: texts, and what stands in {{ }}. Whatever is taken apart here
   gives the same text when it is put together again; what is too complex to be shown in parts stays one piece. */

const BRACKETS = { "(": ")", "[": "]", "{": "}" };
const TOKEN = /\s+|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*|==|[^]/gy;
const STRING = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;

/* Where a text in quotes that begins here ends; the text's length if it has no end. */
const afterString = (text, at) => {
  STRING.lastIndex = at;
  return STRING.test(text) ? STRING.lastIndex : text.length;
};

/* Where the value that was opened at `at` is closed; -1 if it never is. */
const endOf = (text, at) => {
  const open = [];
  for (let place = at + 2; place < text.length; place += 1) {
    const sign = text[place];
    if (sign === '"' || sign === "'") place = afterString(text, place) - 1;
    else if (sign === "}" && !open.length) {
      if (text[place + 1] === "}") return place + 2;
    } else if (BRACKETS[sign]) open.push(BRACKETS[sign]);
    else if (sign === open.at(-1)) open.pop();
  }
  return -1;
};

/* A text in its pieces: strings, and { source } for each value. */
export const split = (text) => {
  const found = [];
  let begin = 0;
  for (let at = text.indexOf("{{"); at >= 0; at = text.indexOf("{{", begin)) {
    const end = endOf(text, at);
    if (end < 0) break;
    if (at > begin) found.push(text.slice(begin, at));
    found.push({ source: text.slice(at, end) });
    begin = end;
  }
  if (begin < text.length) found.push(text.slice(begin));
  return found;
};

/* --- what stands in one value ------------------------------------------------------------------------------------- */

class Words {
  constructor(text) {
    this.all = [...text.matchAll(TOKEN)].map((match) => match[0]);
    this.at = 0;
  }

  space() {
    let skipped = "";
    while (this.at < this.all.length && !this.all[this.at].trim()) skipped += this.all[this.at++];
    return skipped;
  }

  get next() {
    this.space();
    return this.all[this.at];
  }

  take() {
    const found = this.next;
    this.at += 1;
    return found;
  }

  skip(sign) {
    if (this.next !== sign) return false;
    this.at += 1;
    return true;
  }
}

const isName = (word) => /^[A-Za-z_]/.test(word ?? "");
const isString = (word) => /^["']./s.test(word ?? "");
const isWhole = (word) => /^\d+$/.test(word ?? "");

/* The characters that may follow a backslash in a text of the language, and what they stand for. */
const ESCAPED = { n: "\n", t: "\t", r: "\r", "\n": "" };
export const textOf = (literal) =>
  literal.slice(1, -1).replace(/\\u([0-9a-fA-F]{4})|\\([^])/g, (whole, code, sign) =>
    code ? String.fromCharCode(parseInt(code, 16)) : ESCAPED[sign] ?? (/["'\\]/.test(sign) ? sign : whole));

export const quoted = (text) =>
  `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}"`;

const bracketKey = (words) => {
  const sign = words.skip("-") ? "-" : "";
  const key = words.take();
  if (!words.skip("]")) return null;
  if (isWhole(key)) return sign + key;
  return isString(key) && !sign ? textOf(key) : null;
};

/* The keys of a reference, as in trigger.lines[0].amount; null if it is none. */
const readPath = (words) => {
  if (!isName(words.next)) return null;
  const keys = [words.take()];
  for (;;) {
    let key;
    if (words.skip(".")) {
      key = words.take();
      if (!isName(key) && !isWhole(key)) return null;
    } else if (words.skip("[")) key = bracketKey(words);
    else return keys;
    if (key === null) return null;
    keys.push(key);
  }
};

/* The text of one argument, up to the comma or bracket behind it. */
const argumentOf = (words) => {
  const open = [];
  let text = "";
  for (words.space(); words.at < words.all.length; words.at += 1) {
    const word = words.all[words.at];
    if (!open.length && (word === "," || word === ")")) break;
    if (BRACKETS[word]) open.push(BRACKETS[word]);
    else if (word === open.at(-1)) open.pop();
    text += word;
  }
  const named = /^([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)\s*([^]*)$/.exec(text);
  return named ? { name: named[1], text: named[2].trimEnd() } : { name: "", text: text.trimEnd() };
};

const argumentsOf = (words) => {
  const given = [];
  if (!words.skip("(")) return given;
  while (words.next !== undefined && words.next !== ")") {
    given.push(argumentOf(words));
    words.skip(",");
  }
  return words.skip(")") && given.every((each) => each.text) ? given : null;
};

const callsOf = (words) => {
  const calls = [];
  while (words.next !== undefined) {
    if (!words.skip("|") || !isName(words.next)) return null;
    const name = words.take();
    const given = argumentsOf(words);
    if (given === null) return null;
    calls.push({ name, given });
  }
  return calls;
};

const baseOf = (words) => {
  if (isString(words.next)) {
    const text = words.take();
    return { text, keys: null };
  }
  const begin = words.at;
  const keys = readPath(words);
  return keys && { text: words.all.slice(begin, words.at).join("").trim(), keys };
};

/* A value as { base: { text, keys }, calls: [{ name, given: [{ name, text }] }] }; null if it is more than a reference or a
   text with functions behind it. */
export const read = (source) => {
  const inner = source.slice(2, -2);
  if (/^[-+]|[-+]$/.test(inner)) return null;
  const words = new Words(inner);
  const base = baseOf(words);
  const calls = base && callsOf(words);
  return calls ? { base, calls } : null;
};

const callText = ({ name, given }) =>
  given.length ? `${name}(${given.map((each) => (each.name ? `${each.name}=${each.text}` : each.text)).join(", ")})` : name;

/* The reverse of `read`. */
export const write = ({ base, calls }) => `{{ ${[base.text, ...calls.map(callText)].join(" | ")} }}`;

/* The same for every way to write a reference. */
export const keyOf = (keys) => keys.join("\u0000");

/* A reference's keys from its path, as in `trigger.lines[0].amount`. */
export const keysOf = (path) => read(`{{ ${path} }}`)?.base.keys ?? [];

/* --- arguments as people fill them in ------------------------------------------------------------------------------- */

const NUMBER = /^-?\d+(\.\d+)?$/;
const isStringOnly = (text) => {
  STRING.lastIndex = 0;
  return STRING.test(text) && STRING.lastIndex === text.length;
};

/* An argument as a field shows it: a constant as plain text, anything else as a value. */
export const shownArgument = (text) => {
  if (isStringOnly(text)) return textOf(text);
  return !text || NUMBER.test(text) || /^(none|true|false)$/.test(text) ? text : `{{ ${text} }}`;
};

const constant = (text, type) => {
  const isNumber = NUMBER.test(text.trim()) && type !== "text" && type !== "date";
  return isNumber ? text.trim() : quoted(text);
};

/* The reverse: what was typed as the language writes it; empty where nothing was. */
export const writtenArgument = (text, type) => {
  const pieces = split(text).map((piece) => (piece.source ? piece.source.slice(2, -2).trim() : piece));
  if (!pieces.length) return "";
  if (!text.includes("{{") || (pieces.length === 1 && pieces[0] === text)) return constant(text, type);
  return split(text).map((piece, index) => (piece.source ? pieces[index] : quoted(piece))).join(" ~ ");
};
