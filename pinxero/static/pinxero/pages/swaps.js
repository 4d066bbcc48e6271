/* Which answers are taken into the page. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  /* A form that is shown again with errors comes with 422 and is taken like any other answer. */
  if (xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
  const wanted = target && target.id;
  if (event.detail.shouldSwap && wanted && !xhr.responseText.includes(`id="${wanted}"`)) {
    /* Signed out meanwhile, or gone: show what the server would show. A link or form goes where it leads without scripts. */
    event.detail.shouldSwap = false;
    if (event.detail.boosted) window.location.assign(xhr.responseURL);
    else window.location.reload();
  }
});
