/* What is done with a value, function by function, as forms show and change it. */
import { read, shownArgument, writtenArgument } from "./pieces.js";

/* What is given for each of a function's parameters, as the language writes it; empty where nothing is. */
export const valuesOf = ({ given }, { parameters }) => {
  const byName = new Map(given.filter((each) => each.name).map((each) => [each.name, each.text]));
  const inOrder = given.filter((each) => !each.name);
  return parameters.map((parameter, index) => inOrder[index]?.text ?? byName.get(parameter.name) ?? "");
};

/* A call with these values: in order as long as none is left out, by name after that. */
export const callWith = (name, { parameters }, values) => {
  const given = [];
  let isNamed = false;
  parameters.forEach((parameter, index) => {
    const isLeftOut = values[index] === "" || (!parameter.required && values[index] === parameter.default);
    if (isLeftOut) isNamed = true;
    else given.push({ name: isNamed ? parameter.name : "", text: values[index] });
  });
  return { name, given };
};

/* A new call: what is needed stands as in the function's example, so that it gives something at once. */
export const newCall = (known) => {
  const example = read(known.example)?.calls.find((call) => call.name === known.name);
  const values = example ? valuesOf(example, known) : known.parameters.map(() => "");
  return callWith(known.name, known, values.map((value, index) => (known.parameters[index].required ? value : "")));
};

/* The calls as forms: each with its function, and the default behind it where its result may be missing. */
export const formsOf = (calls, functions) => {
  const forms = [];
  for (const call of calls) {
    const known = functions.get(call.name);
    const before = forms.at(-1);
    if (call.name === "default" && before?.known?.canMiss && !before.ifNone) before.ifNone = call;
    else forms.push({ call, known, ifNone: null });
  }
  return forms;
};

export const callsOf = (forms) => forms.flatMap(({ call, ifNone }) => (ifNone ? [call, ifNone] : [call]));

export const shownValue = (value, parameter) => shownArgument(value || (parameter.required ? "" : parameter.default));

export const typedValue = (text, parameter) => writtenArgument(text, parameter.type);
