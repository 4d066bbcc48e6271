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
    wireFunctions(panel);
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

  /* The list of functions: each becomes a button that puts it behind the value where the cursor is. */
  const wireFunctions = (panel) => {
    const help = panel.querySelector("[data-px-function-help]");
    if (help) help.textContent = "Click into a value, then on a function: it is put behind that value. What stands in its brackets is an example to change.";
    panel.querySelectorAll("[data-px-function]").forEach((entry) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = entry.className;
      while (entry.firstChild) button.append(entry.firstChild);
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => {
        const field = target();
        if (field) apply(field, callIn(entry.dataset.pxFunction));
      });
      entry.className = "";
      entry.append(button);
    });
  };

  /* `replace("INV", "PIN")` of `{{ "INV-001" | replace("INV", "PIN") }}`; the first call where there are several. */
  const callIn = (example) => {
    const found = /\|\s*([a-z_]+(?:\((?:[^()"']|"[^"]*"|'[^']*')*\))?)/.exec(example);
    return found ? found[1] : "";
  };

  const apply = (field, call) => {
    if (!call) return;
    const at = field.selectionStart ?? field.value.length;
    const begin = field.value.lastIndexOf("{{", at);
    const end = begin < 0 ? -1 : field.value.indexOf("}}", begin);
    if (end < 0) {
      const whole = field.value.trim();
      const quoted = `"${whole.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
      field.value = `{{ ${whole ? quoted : '""'} | ${call} }}`;
      field.setSelectionRange(field.value.length, field.value.length);
    } else {
      const before = field.value.slice(0, end).trimEnd();
      field.value = `${before} | ${call} ${field.value.slice(end)}`;
      const after = field.value.indexOf("}}", before.length) + 2;
      field.setSelectionRange(after, after);
    }
    const holder = field.closest("details");
    if (holder) holder.open = true;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  /* The list of steps to add: what is typed above it leaves only those that fit. */
  const wireChoices = (list) => {
    if (list.dataset.pxWired) return;
    list.dataset.pxWired = "1";
    const search = list.querySelector("[data-px-choice-search]");
    if (!search) return;
    search.hidden = false;
    search.querySelector("input").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLowerCase().split(/\s+/);
      list.querySelectorAll("fieldset").forEach((group) => {
        let count = 0;
        group.querySelectorAll(".px-choice").forEach((choice) => {
          const text = `${choice.textContent} ${group.querySelector("legend").textContent}`.toLowerCase();
          choice.hidden = !wanted.every((word) => text.includes(word));
          if (!choice.hidden) count += 1;
        });
        group.hidden = count === 0;
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

  /* A text to be taken elsewhere: a button beside it puts it into the clipboard, where the browser lets pages do so. */
  const wireCopy = (field) => {
    if (field.dataset.pxWired || !navigator.clipboard) return;
    field.dataset.pxWired = "1";
    const row = document.createElement("div");
    row.className = "px-copy";
    field.replaceWith(row);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "px-button px-button--small";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Marked; copy it yourself";
      }
    });
    row.append(field, button);
  };

  const wire = (root) => {
    /* Icons are drawn from words such as "space_dashboard", which would be read aloud before a link's own name. */
    root.querySelectorAll(".material-symbols-outlined").forEach((icon) => { icon.ariaHidden = "true"; });
    root.querySelectorAll("[data-px-without-script]").forEach((each) => { each.hidden = true; });
    root.querySelectorAll("[data-px-tokens]").forEach(wireTokens);
    root.querySelectorAll("[data-px-comparison]").forEach(wireComparison);
    root.querySelectorAll("[data-px-choices]").forEach(wireChoices);
    root.querySelectorAll("[data-px-copy]").forEach(wireCopy);
  };

  document.addEventListener("focusin", (event) => {
    if (event.target.matches && event.target.matches("[data-px-takes-tokens]")) lastField = event.target;
  });

  /* One menu at a time; a click elsewhere or Escape closes it. */
  const closeMenus = (but) => document.querySelectorAll(".px-menu[open]").forEach((menu) => { if (menu !== but) menu.open = false; });
  document.addEventListener("click", (event) => closeMenus(event.target.closest && event.target.closest(".px-menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".px-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  /* The admin's own script writes the name of a chosen file into the next text field it finds, which here is another. */
  document.addEventListener("change", (event) => {
    if (event.target.matches && event.target.matches(".px-page input[type=file]")) event.stopPropagation();
  }, true);

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
  const controls = (form) => {
    const fields = form.querySelectorAll("input[name]:not([type=hidden]):not([type=file]), select[name], textarea[name]");
    return [...fields].map((field) => {
      const isTicked = field.type === "checkbox" || field.type === "radio";
      return { field, isTicked, name: isTicked ? `${field.name}=${field.value}` : field.name };
    });
  };
  const valuesOf = (form) =>
    new Map(controls(form).map(({ field, isTicked, name }) => [name, isTicked ? field.checked : field.value]));
  const putBack = (form, typed) => {
    controls(form).filter(({ name }) => typed.has(name)).forEach(({ field, isTicked, name }) => {
      const value = typed.get(name);
      if (isTicked) { field.checked = value; return; }
      const fits = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value);
      if (fits) field.value = value;
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
