// The console's language: English stands in the code, Chinese in `chinese.js` under the English; what the API says is English, and stands in
// `chinese_sentences.js` under its code.

import { CHINESE } from "./chinese.js";
import { SENTENCES } from "./chinese_sentences.js";

export const LANGUAGES = [["en", "English"], ["zh", "中文"]];

export function language() {
  const chosen = localStorage.getItem("language");
  return chosen || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

export const choose = (chosen) => localStorage.setItem("language", chosen);

// Marks words that a list holds, to be shown by t() later.
export const later = (words) => words;

// t(words, {count: 3}), where the words hold {count}.
export const t = (words, values = {}) => filled((language() === "zh" && CHINESE[words]) || words, values);

const filled = (words, values) => words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

// What the API says: said("error", "not_found", "There is no …"). Where the language has no sentence for the code, its own words.
export function said(of, code, came = code, values = {}) {
  const sentence = language() === "zh" ? SENTENCES[of][code] : undefined;
  if (!sentence) return came;
  return filled(sentence, values) + (sentence.endsWith("：") ? came : "");
}

export const why = (reason) => said("reason", reason);
