/* Makes the pages nicer to use; every page works without it. Reads data- attributes only and never builds markup
   from text. Forms that are shown again by HTMX are wired again after each swap. */
"use strict";

(() => {
  let lastField = null;

  const insert = (field, text) => {
    const start = field.selectionStart ?? field.value.length;
    const end = field.selectionEnd ?? start;
    field.setRangeText(text, start, end, "end");
    const holder = field.closest("details");
    if (holder) holder.open = true;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const target = () => {
    if (lastField && lastField.isConnected) return lastField;
    return document.querySelector("#px-form [data-px-takes-tokens]");
  };

  /* The list of values: each becomes a button that inserts it where the cursor was last. */
  const wireTokens = (panel) => {
    if (panel.dataset.pxWired) return;
    panel.dataset.pxWired = "1";
    const help = panel.querySelector("[data-px-token-help]");
    if (help) help.textContent = "Click into a field, then on a value: it is put where the cursor is, and replaced by the real value when a run happens.";
    panel.querySelectorAll("[data-px-token]").forEach((token) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "px-token";
      while (token.firstChild) button.append(token.firstChild);
      const code = button.querySelector("code");
      if (code) code.remove();
      button.title = token.dataset.pxToken;
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => {
        const field = target();
        if (field) insert(field, token.dataset.pxToken);
      });
      token.className = "";
      token.append(button);
    });
    const search = panel.querySelector("[data-px-token-search]");
    if (!search) return;
    search.hidden = false;
    search.querySelector("input").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLowerCase();
      panel.querySelectorAll("li").forEach((item) => {
        item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
      });
    });
  };

  /* A comparison: the type narrows the list of comparisons, and only the values it needs are shown. */
  const wireComparison = (row) => {
    if (row.dataset.pxWired) return;
    row.dataset.pxWired = "1";
    const typeField = row.querySelector("[data-px-type]");
    const type = typeField.querySelector("select");
    const operator = row.querySelector("[data-px-operator]");
    const groups = [...operator.querySelectorAll("optgroup")];
    const caseField = row.querySelector("[data-px-case]");
    typeField.hidden = false;

    const showOperands = () => {
      const chosen = operator.selectedOptions[0];
      const count = Number(chosen ? chosen.dataset.operands : 0);
      row.querySelectorAll("[data-px-operand]").forEach((field) => {
        field.hidden = Number(field.dataset.pxOperand) > count;
        const label = field.querySelector("label");
        if (field.dataset.pxOperand === "2") label.textContent = "and";
      });
      caseField.hidden = type.value !== "text" && type.value !== "list";
    };
    const showOperators = (isFirst) => {
      const chosen = operator.value;
      groups.forEach((group) => group.remove());
      groups.filter((group) => group.dataset.type === type.value).forEach((group) => operator.append(group));
      if (isFirst || [...operator.options].some((option) => option.value === chosen)) operator.value = chosen;
      if (operator.selectedIndex < 0) operator.selectedIndex = 0;
      showOperands();
    };
    type.addEventListener("change", () => showOperators(false));
    operator.addEventListener("change", showOperands);
    showOperators(true);
  };

  const wire = (root) => {
    /* Icons are drawn from words such as "space_dashboard", which would be read aloud before a link's own name. */
    root.querySelectorAll(".material-symbols-outlined").forEach((icon) => { icon.ariaHidden = "true"; });
    root.querySelectorAll("[data-px-without-script]").forEach((each) => { each.hidden = true; });
    root.querySelectorAll("[data-px-tokens]").forEach(wireTokens);
    root.querySelectorAll("[data-px-comparison]").forEach(wireComparison);
  };

  document.addEventListener("focusin", (event) => {
    if (event.target.matches && event.target.matches("[data-px-takes-tokens]")) lastField = event.target;
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches && event.target.matches("[data-px-submit]")) event.target.form.requestSubmit();
  });

  /* What the person has opened on a run's page stays open when the page brings itself up to date. */
  const openedSummaries = (root) => [...root.querySelectorAll("details")].map((details) => details.open);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    /* A form that is shown again with errors comes with 422 and is swapped in like any other answer. */
    if (xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
    const wanted = event.detail.target && event.detail.target.id;
    if (event.detail.shouldSwap && wanted && !xhr.responseText.includes(`id="${wanted}"`)) {
      /* Signed out meanwhile, or gone: show what the server would show. */
      event.detail.shouldSwap = false;
      window.location.reload();
      return;
    }
    if (wanted === "px-run") event.detail.target.dataset.pxOpen = "";
  });

  /* What somebody types or picks while a form is being brought up to date is put into the new one. */
  const valuesOf = (form) => {
    const values = new Map();
    form.querySelectorAll("input[name]:not([type=hidden]):not([type=file]), select[name], textarea[name]").forEach((each) => {
      const isTicked = each.type === "checkbox" || each.type === "radio";
      values.set(isTicked ? `${each.name}=${each.value}` : each.name, isTicked ? each.checked : each.value);
    });
    return values;
  };
  const putBack = (form, typed) => {
    form.querySelectorAll("input[name]:not([type=hidden]):not([type=file]), select[name], textarea[name]").forEach((each) => {
      const isTicked = each.type === "checkbox" || each.type === "radio";
      const name = isTicked ? `${each.name}=${each.value}` : each.name;
      if (!typed.has(name)) return;
      if (isTicked) { each.checked = typed.get(name); return; }
      const fits = each.tagName !== "SELECT" || [...each.options].some((option) => option.value === typed.get(name));
      if (fits) each.value = typed.get(name);
    });
  };
  const asSent = new WeakMap();
  let typedMeanwhile = null;
  const isForm = (event) => event.detail.target && event.detail.target.id === "px-form";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isForm(event)) asSent.set(event.detail.xhr, valuesOf(event.detail.target));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = document.getElementById("px-form");
    const sent = isForm(event) && asSent.get(event.detail.xhr);
    if (!form || !sent) return;
    typedMeanwhile = new Map([...valuesOf(form)].filter(([name, value]) => sent.has(name) && sent.get(name) !== value));
  });
  document.addEventListener("htmx:afterSwap", () => {
    const form = document.getElementById("px-form");
    if (form && typedMeanwhile) putBack(form, typedMeanwhile);
    typedMeanwhile = null;
  });

  /* A page that waits for something asks until nothing has changed for a while; it goes on when somebody is back. */
  const PATIENCE = 5 * 60 * 1000;
  let lastChange = Date.now();
  const isBack = () => { if (!document.hidden) lastChange = Date.now(); };
  document.addEventListener("visibilitychange", isBack);
  document.addEventListener("pointerdown", isBack);
  document.addEventListener("keydown", isBack);
  document.addEventListener("htmx:afterSwap", () => { lastChange = Date.now(); });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const isLive = event.detail.elt && event.detail.elt.matches("[data-px-live]");
    if (isLive && Date.now() - lastChange > PATIENCE) event.preventDefault();
  });

  let opened = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target && event.detail.target.id === "px-run") opened = openedSummaries(event.detail.target);
  });
  document.addEventListener("htmx:afterSettle", () => {
    const run = document.getElementById("px-run");
    if (run && opened) {
      const details = [...run.querySelectorAll("details")];
      if (details.length === opened.length) details.forEach((each, index) => { each.open = opened[index]; });
      opened = null;
    }
    wire(document);
  });

  document.addEventListener("DOMContentLoaded", () => wire(document));
  if (document.readyState !== "loading") wire(document);
})();
