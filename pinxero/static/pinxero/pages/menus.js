/* One menu at a time; a click elsewhere or Escape closes it. */
const closeMenus = (but) => document.querySelectorAll(".px-menu[open]").forEach((menu) => { if (menu !== but) menu.open = false; });

document.addEventListener("click", (event) => closeMenus(event.target.closest && event.target.closest(".px-menu")));

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".px-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
