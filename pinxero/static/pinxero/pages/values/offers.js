/* Which values a field is offered, in which order: those of a fitting type first, ids and empty ones apart, and for a list
   what can be made of it. The words come from the picker's template. */
import { quoted } from "./pieces.js";

const FITTING = {
  number: ["number"], integer: ["number"], date: ["date"], datetime: ["date"], list: ["list"], yes_no: ["yes_no"],
  text: ["text", "number", "date"], long_text: ["text", "number", "date", "list"], choice: ["text", "number"],
};
const MOST = 80;

const fits = (value, kind) => (FITTING[kind] ?? []).includes(value.kind);
const isInner = (value) => /\[0\]/.test(value.path);
const fittingFirst = (values, kind) => [...values.filter((each) => fits(each, kind)), ...values.filter((each) => !fits(each, kind))];

const optionOf = (value) => ({
  kind: value.kind === "list" ? "list" : "value",
  value, label: value.label, example: value.example, origin: value.group.label, source: value.source,
});

const often = (names, kind, words) => {
  const found = names.often.map((path) => names.groups.flatMap((group) => group.values).find((value) => value.path === path));
  const fitting = found.filter((value) => value && fits(value, kind));
  return { label: words.pxOften, options: fitting.map((value) => ({ ...optionOf(value), label: `${value.label} · ${value.group.label}` })) };
};

const sectionOf = (group, kind, words, shown) => {
  const values = group.values.filter((value) => !isInner(value));
  const usual = fittingFirst(values.filter((value) => !value.minor), kind);
  const minor = values.filter((value) => value.minor);
  const options = usual.map(optionOf);
  if (minor.length && shown.has(group.key)) options.push(...minor.map(optionOf));
  else if (minor.length) options.push({ kind: "more", label: words.pxMore, example: String(minor.length), key: group.key });
  return { label: group.label, note: group.note, options };
};

/* What the input itself suggests, as dates do. */
const suggested = (input, typed, words) => {
  const all = [...(input.list?.options ?? [])].map((option) => ({ kind: "value", label: option.label, example: "", source: option.value }));
  return { label: words.pxSuggested, options: all.filter((each) => each.label.toLowerCase().includes(typed.toLowerCase())) };
};

/* With what the input suggests first. */
export const withSuggested = (input, typed, words, sections) =>
  [suggested(input, typed, words), ...sections].filter((section) => section.options.length);

/* What is offered before anything is searched. `shown` are the groups whose seldom used values are shown too. */
export const offersFor = (names, kind, words, shown) =>
  [often(names, kind, words), ...names.groups.map((group) => sectionOf(group, kind, words, shown))]
    .filter((section) => section.options.length);

/* Values whose name, origin or content has every word. */
export const found = (names, kind, typed) => {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (value) => {
    const text = `${value.label} ${value.group.label} ${value.example}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  const sections = names.groups.map((group) => {
    const values = group.values.filter(has);
    const usual = fittingFirst(values.filter((value) => !value.minor), kind);
    return { label: group.label, note: group.note, options: [...usual, ...values.filter((value) => value.minor)].slice(0, MOST).map(optionOf) };
  });
  return sections.filter((section) => section.options.length);
};

/* The same reference with functions behind it; one that may be missing keeps its default. */
const withCalls = (source, ...calls) => `{{ ${[source.slice(2, -2).trim(), ...calls].join(" | ")} }}`;

const made = (label, source, example = "") => ({ kind: "value", label, source, example, origin: "" });
const row = (label, source, example, list) => ({ ...made(label, source, example), kind: "row", list });

const fieldsOf = (names, list) => {
  const begin = `${list.path}[0].`;
  const inner = names.groups.flatMap((group) => group.values).filter((value) => value.path.startsWith(begin));
  const fields = inner
    .map((value) => ({ ...value, field: value.path.slice(begin.length), name: value.label.split(" · ").slice(-1)[0] }))
    .filter((value) => !/[["]/.test(value.field) && value.kind !== "table");
  return [...fields.filter((each) => !each.minor), ...fields.filter((each) => each.minor)];
};

/* In a table: the row once for each item, with the item itself or one of its fields in the place. */
const rowsOf = (list, fields, words) => {
  if (!fields.length) return [row(words.pxRow, "{{ item }}", "", list.source)];
  const single = fields.filter((each) => each.kind !== "list");
  return single.map((each) => row(words.pxRowOf + each.name, each.source.replace(`${list.path}[0]`, "item"), each.example, list.source));
};

/* What can be made of a list: rows where it may be, all of it, its number of items, the first, sums and lists of its items'
   fields. */
export const offersOfList = (names, list, words, mayRepeat) => {
  const fields = fieldsOf(names, list);
  const rows = mayRepeat ? rowsOf(list, fields, words) : [];
  const call = (...calls) => withCalls(list.source, ...calls);
  const whole = [made(words.pxWhole, list.source, list.example), made(words.pxCount, call("count"))];
  const plain = fields.length ? [] : [
    made(words.pxFirst, call("first")), made(words.pxEach, call('join(", ")')), made(words.pxSum, call("sum")),
  ];
  const sums = fields.filter((each) => each.kind === "number").map((each) => made(words.pxSumOf + each.name, call(`sum(${quoted(each.field)})`)));
  const firsts = fields.map((each) => made(words.pxFirstOf + each.name, each.source, each.example));
  const lists = fields.map((each) => made(words.pxEachOf + each.name, call(`pluck(${quoted(each.field)})`, 'join(", ")')));
  return [{ label: list.label, options: [...rows, ...whole, ...plain, ...sums, ...firsts, ...lists] }];
};
