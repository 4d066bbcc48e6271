/* Ctrl+K, or the link that leads to the page of the search, opens its dialog; arrows go through what was found. */
const dialog = document.getElementById("px-search");

const open = () => {
  dialog.showModal();
  dialog.querySelector("input").select();
};

const places = () => [dialog.querySelector("input"), ...dialog.querySelectorAll("#px-search-found .px-items a[href]")];

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!dialog.open) open();
    }
  }, true);
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || !event.target.closest("[data-px-search]")) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = places();
    const to = all[all.indexOf(document.activeElement) + step];
    if (to) to.focus();
  });
}
