// Keys go to the terminal at once, without a click; textual.js makes it when the page is loaded.
addEventListener("load", () => document.querySelector(".xterm-helper-textarea")?.focus());
