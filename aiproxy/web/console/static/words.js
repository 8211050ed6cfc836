// The console's language: English stands in the code, Chinese in `chinese.js` under the English.

import { CHINESE } from "./chinese.js";

export const LANGUAGES = [["en", "English"], ["zh", "中文"]];

export function language() {
  const chosen = localStorage.getItem("language");
  return chosen || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

export const choose = (chosen) => localStorage.setItem("language", chosen);

// Marks words that a list holds, to be shown by t() later.
export const later = (words) => words;

// t(words, {count: 3}), where the words hold {count}.
export function t(words, values = {}) {
  const said = (language() === "zh" && CHINESE[words]) || words;
  return said.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}
