/* Makes the pages nicer to use; every page works without it. One behaviour a file. Each reads data- attributes only, never
   builds markup from text and has no words of its own: these stand in the templates. What a behaviour exports as `wire` is
   done again after each swap, so it does no harm to do it twice. */
import "./anchors.js";
import "./drag.js";
import "./files.js";
import "./focus.js";
import "./editor.js";
import "./menus.js";
import "./patience.js";
import "./search.js";
import "./sections.js";
import "./submit.js";
import "./swaps.js";
import "./typed.js";
import "./unsaved.js";
import { wire as wireChoices } from "./choices.js";
import { wire as wireComparisons } from "./comparisons.js";
import { wire as wireCopying } from "./copying.js";
import { wire as wireLines } from "./lines.js";
import { wire as wireScripted } from "./scripted.js";
import { wire as wireValues } from "./values/values.js";

const wire = () => [wireScripted, wireValues, wireComparisons, wireChoices, wireCopying, wireLines].forEach((each) => each(document));

/* At the swap, so that nobody meets a form that is half wired; and once it has settled, which may set attributes back. */
document.addEventListener("htmx:afterSwap", wire);
document.addEventListener("htmx:afterSettle", wire);
wire();
