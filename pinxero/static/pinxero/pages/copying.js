/* A text to be taken elsewhere: the button beside it puts it into the clipboard, where the browser lets pages do so. */
import { once } from "./once.js";

const wireButton = once((button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.pxCopy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.pxCopied;
    } catch {
      button.textContent = button.dataset.pxMarked;
    }
  });
});

export const wire = (root) => root.querySelectorAll("[data-px-copy]").forEach(wireButton);
