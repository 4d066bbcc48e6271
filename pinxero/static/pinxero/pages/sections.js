/* Whether a section is open is for the person to say, not for a newer state of the page. */
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) => !(name === "open" && element.localName === "details");
