/* Whoever stands on something that a newer state of the page no longer has stands at least in the same part of it. */
let region = "";

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  region = target && target.contains(document.activeElement) ? target.id : "";
});

document.addEventListener("htmx:afterSettle", () => {
  const place = region && document.getElementById(region);
  region = "";
  if (!place || place.contains(document.activeElement)) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
});
