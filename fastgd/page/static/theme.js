// Light or dark: as the system has it, until the button says otherwise.

import { byId } from "./text.js";

const system = matchMedia("(prefers-color-scheme: dark)");

let asked = null;
try {
  asked = localStorage.getItem("theme");
} catch { /* nothing is kept where that is not allowed */ }

const chosen = () => asked ?? (system.matches ? "dark" : "light");

export function setUpTheme(changed) {
  const button = byId("theme");
  const show = () => {
    document.documentElement.dataset.theme = chosen();
    button.textContent = chosen() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to ${chosen() === "dark" ? "light" : "dark"} colours`);
    changed();
  };
  button.addEventListener("click", () => {
    asked = chosen() === "dark" ? "light" : "dark";
    show();
    try {
      localStorage.setItem("theme", asked);
    } catch { /* likewise */ }
  });
  system.addEventListener("change", show);
  show();
}
