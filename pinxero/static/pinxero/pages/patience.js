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
