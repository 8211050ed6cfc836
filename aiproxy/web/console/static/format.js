// Figures and moments as people read them, in the language of the page.

import { language } from "./words.js";

const whole = (options) => new Intl.NumberFormat(language(), options);

export const count = (value) => (value === null || value === undefined ? "–" : whole().format(value));

export const short = (value) => whole({ notation: "compact", maximumFractionDigits: 1 }).format(value);

export const percent = (share) => whole({ style: "percent", maximumFractionDigits: 1 }).format(share);

// Sums of less than a cent are shown to a tenth of one. Nobody knows the price of null.
export function dollars(value) {
  if (value === null || value === undefined) return "–";
  if (value > 0 && value < 0.00005) return `< ${dollars(0.0001)}`;
  return whole({ style: "currency", currency: "USD", maximumFractionDigits: Math.abs(value) < 0.1 ? 4 : 2 }).format(value);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${whole({ maximumFractionDigits: 1 }).format(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

export const bytes = (value) => {
  const step = value < 1 ? 0 : Math.min(3, Math.floor(Math.log2(value) / 10));
  return `${whole({ maximumFractionDigits: 1 }).format(value / 1024 ** step)} ${["B", "KiB", "MiB", "GiB"][step]}`;
};

// Moments are seconds since the epoch, or ISO texts.
const date = (moment) => new Date(typeof moment === "number" ? moment * 1000 : moment);

export function time(moment) {
  if (!moment) return "–";
  const then = date(moment);
  const today = then.toDateString() === new Date().toDateString();
  const options = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(language(), options).format(then);
}

export function until(moment) {
  return moment ? duration(Math.max(0, date(moment) / 1000 - Date.now() / 1000)) : "–";
}
