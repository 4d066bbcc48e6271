/* Choosing in a list that only filters or switches is enough; no button has to be pressed as well. */
document.addEventListener("change", (event) => {
  if (event.target.matches && event.target.matches("[data-px-submit]")) event.target.form.requestSubmit();
});
