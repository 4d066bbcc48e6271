/* The list under a search field: options in groups, of which one is marked; the focus stays in the search field. */
export const element = (name, className, text = "") => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
};

export const drawOption = ({ kind, label, example }, id) => {
  const made = element("div", `px-option px-option--${kind}`);
  made.role = "option";
  made.id = id;
  made.ariaSelected = "false";
  made.dir = "auto";
  made.append(element("span", "px-option-label", label), element("span", "px-option-example", example));
  return made;
};

export const drawGroup = ({ label, note }) => {
  const group = element("div", "px-option-group");
  group.role = "group";
  group.ariaLabel = label;
  const head = element("div", "px-option-head", label);
  head.ariaHidden = "true";
  if (note) head.append(element("span", "px-token-note", ` ${note}`));
  group.append(head);
  return group;
};

/* Mark the option at this place, counted around; the answer is the place, -1 where there is none. */
export const mark = (search, box, place) => {
  const all = [...box.querySelectorAll("[role=option]")];
  const at = all.length ? (place + all.length) % all.length : -1;
  all.forEach((each, index) => { each.ariaSelected = String(index === at); });
  if (at < 0) {
    search.removeAttribute("aria-activedescendant");
    return at;
  }
  search.setAttribute("aria-activedescendant", all[at].id);
  all[at].scrollIntoView({ block: "nearest" });
  return at;
};

/* The place of the option that was clicked. */
export const clicked = (event) => {
  const option = event.target.closest("[role=option]");
  return option ? Number(option.id.slice(option.id.lastIndexOf("-") + 1)) : -1;
};
