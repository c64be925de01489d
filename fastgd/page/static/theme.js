// Light or dark: as the system has it, until the button says otherwise.

import { byId } from "./text.js";

const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  return localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");
}

export function setUpTheme(changed) {
  const button = byId("theme");
  const show = () => {
    document.documentElement.dataset.theme = chosen();
    button.textContent = chosen() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to ${chosen() === "dark" ? "light" : "dark"} colours`);
    changed();
  };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", chosen() === "dark" ? "light" : "dark");
    show();
  });
  system.addEventListener("change", show);
  show();
}
