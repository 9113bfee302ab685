// Light, dark, or as the machine has it.

import { text } from "./dom.js";

const key = "penstock-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function startTheme(button, changed) {
  let theme = localStorage.getItem(key) ?? "";
  const isDark = () => (theme ? theme === "dark" : dark.matches);
  const apply = () => {
    if (theme) document.documentElement.dataset.theme = theme;
    text(button, isDark() ? "Light" : "Dark");
    changed();
  };
  const turn = () => {
    theme = isDark() ? "light" : "dark";
    localStorage.setItem(key, theme);
    apply();
  };
  button.addEventListener("click", turn);
  dark.addEventListener("change", apply);
  apply();
  return turn;
}
