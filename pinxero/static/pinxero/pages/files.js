/* The admin's own script writes the name of a chosen file into the next text field it finds, which here is another. */
document.addEventListener("change", (event) => {
  if (event.target.matches && event.target.matches(".px-page input[type=file]")) event.stopPropagation();
}, true);
