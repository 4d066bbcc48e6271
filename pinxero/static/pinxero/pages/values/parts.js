/* The parts that the scripts put into a form stand in its template, with their words. */
export const partFor = (element, name) => {
  const form = element.valueForm ?? element.closest("form");
  const found = form?.querySelector("template[data-px-value-parts]")?.content.querySelector(`[data-px-part="${name}"]`);
  return found ? document.importNode(found, true) : null;
};
