/* What the admin's own scripts draw gets the names that people who do not see the page need. */
(() => {
  /* What a page asks for by itself, to stay up to date, is nobody at work: it must not keep an idle session open. */
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.triggeringEvent) event.detail.headers["PX-By-Itself"] = "1";
  });

  /* Icons are drawn from words, which are no part of a name. */
  const textOf = (each) => {
    if (!each) return "";
    const copy = each.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };

  /* In a table of rows the column's heading names the field. */
  const headingOf = (field) => {
    const cell = field.closest("td");
    const head = cell && cell.closest("table").tHead;
    return head ? textOf(head.rows[head.rows.length - 1].cells[cell.cellIndex]) : "";
  };

  const nameOf = (field) => textOf(field.labels && field.labels[0]) || field.ariaLabel || headingOf(field);

  const nameFields = () => {
    document.querySelectorAll("#content td :is(select, textarea, input:not([type=hidden]))").forEach((field) => {
      if (!field.ariaLabel && !(field.labels && field.labels.length) && headingOf(field)) field.ariaLabel = headingOf(field);
    });
    document.querySelectorAll("select.select2-hidden-accessible").forEach((field) => {
      const drawn = field.nextElementSibling;
      const box = drawn && drawn.querySelector(".select2-selection");
      if (!box || !nameOf(field)) return;
      box.removeAttribute("aria-labelledby");
      box.ariaLabel = nameOf(field);
      box.querySelectorAll("[role=textbox]").forEach((each) => {
        each.removeAttribute("role");
        each.removeAttribute("aria-readonly");
      });
    });
    document.querySelectorAll("#content th").forEach((each) => {
      if (textOf(each) || each.querySelector("input, a, button")) return;
      const name = document.createElement("span");
      name.className = "px-visually-hidden";
      name.textContent = "More";
      each.append(name);
    });
  };

  /* Cells are called as their column is where the list has become cards, and a long text in them is cut after three lines. */
  const LONG = 60;
  const dressList = () => {
    const list = document.getElementById("result_list");
    if (!list || !list.tHead) return;
    const names = [...list.tHead.rows[list.tHead.rows.length - 1].cells].map(textOf);
    list.querySelectorAll("tr.data-row").forEach((row) => [...row.cells].forEach((cell, index) => {
      if (names[index] && names.length === row.cells.length) cell.dataset.label = names[index];
      if (textOf(cell).length < LONG || cell.querySelector("input, select, table")) return;
      const text = document.createElement("span");
      text.append(...cell.childNodes);
      text.title = textOf(text);
      cell.append(text);
      cell.classList.add("px-long");
    }));
  };

  /* The sidebar's scrolled part would be a second region of the same name beside a list's. */
  const nameRegions = () => {
    const sections = document.querySelector("#nav-sidebar-apps .simplebar-content-wrapper");
    if (sections) sections.ariaLabel = "Sections";
  };

  window.addEventListener("load", () => {
    nameRegions();
    nameFields();
    dressList();
    /* Fields with a search of their own are drawn some time after the page, and with every row that is added. */
    const content = document.getElementById("content");
    if (content && content.querySelector(".admin-autocomplete")) {
      new MutationObserver(nameFields).observe(content, { childList: true, subtree: true });
    }
  });
})();
