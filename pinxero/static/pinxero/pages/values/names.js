/* What the server says about the values that can be used here: their names, examples and types, and the functions. */
import { keyOf, keysOf, read } from "./pieces.js";

const parsed = new WeakMap();

const gathered = (script) => {
  const data = JSON.parse(script.textContent);
  const byKey = new Map();
  const groups = data.groups.map((group) => ({ ...group, values: group.values.map((value) => ({ ...value, group })) }));
  for (const group of groups) for (const value of group.values) {
    const key = keyOf(keysOf(value.path));
    if (!byKey.has(key)) byKey.set(key, value);
  }
  const functions = new Map(data.functions.map((each) => [each.name, each]));
  return { ...data, groups, byKey, functions, text: script.textContent };
};

const NOTHING = { groups: [], often: [], byKey: new Map(), functions: new Map(), evaluate: "", calculated: "", text: "" };

/* What is known in the form that an element belongs to. A form that was brought up to date may say something else. */
export const namesFor = (element) => {
  const form = element.valueForm ?? element.closest("form");
  const script = form?.querySelector("script#px-values");
  if (!script) return NOTHING;
  if (parsed.get(script)?.text !== script.textContent) parsed.set(script, gathered(script));
  return parsed.get(script);
};

/* A default that only says "nothing" belongs to a value that may be missing, not to what somebody did with it. */
const isOwnDefault = (value, call) => value?.unsure && call?.name === "default" && /^(""|''|\[\])$/.test(call.given[0]?.text);

const functionWords = (names, { name, given }) => {
  const label = names.functions.get(name)?.label ?? name;
  return given.length ? `${label} ${given.map((each) => each.text).join(", ")}` : label;
};

/* How a token is shown: its name, where it comes from, its example, and what is done with it. */
export const described = (source, names) => {
  const parts = read(source);
  const value = parts?.base.keys ? names.byKey.get(keyOf(parts.base.keys)) : null;
  const isText = parts && !parts.base.keys;
  if (!value && !isText) {
    const name = `${names.calculated}${source.slice(2, -2).trim()}`;
    return { parts: null, value: null, name, isComplex: true, functions: [] };
  }
  const calls = isOwnDefault(value, parts.calls[0]) ? parts.calls.slice(1) : parts.calls;
  return {
    parts, value, isComplex: false,
    name: value ? value.label : parts.base.text,
    origin: value ? value.group.label : "",
    example: value ? value.example : "",
    functions: calls.map((call) => functionWords(names, call)),
  };
};

export const wordsOf = ({ name, origin, isComplex, functions }) =>
  isComplex ? name : [[name, origin].filter(Boolean).join(" · "), ...functions].join(", ");
