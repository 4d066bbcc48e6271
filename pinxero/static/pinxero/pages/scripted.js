/* What only makes sense with scripts is shown, and what is there for lack of them is hidden. */
export const wire = (root) => {
  root.querySelectorAll("[data-px-without-script]").forEach((each) => { each.hidden = true; });
  root.querySelectorAll("[data-px-with-script]").forEach((each) => { each.hidden = false; });
  /* Icons are drawn from words such as "space_dashboard", which would be read aloud before a link's own name. */
  root.querySelectorAll(".material-symbols-outlined").forEach((icon) => { icon.ariaHidden = "true"; });
};
