// The log, line by line as it is written, with a filter; to take along as a file.

import { del, download, get } from "../api.js";
import { time } from "../format.js";
import { badge, button, choice, fill, h, newest, safely } from "../ui.js";
import { later, t } from "../words.js";

const LEVELS = { debug: later("Debug and up"), info: later("Info and up"), warn: later("Warnings and up"), error: later("Errors only") };
const KINDS = { warn: "warn", error: "bad", critical: "bad" };
const SHOWN = 1000; // lines of the page; older ones leave it

export async function show(view) {
  const load = newest(() => get("/logs", { level: level.value, search: search.value, limit: SHOWN }, view.signal), ({ records }) => {
    fill(log, records.length ? records.map(line) : h("p.empty", t("No such lines.")));
    log.scrollTop = log.scrollHeight;
  });
  const level = choice(Object.entries(LEVELS).map(([key, words]) => [key, t(words)]), view.query.get("level") || "debug", { "aria-label": t("Severity"), onchange: safely(load) });
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search"), onchange: safely(load) });
  const follow = h("input", { type: "checkbox", checked: true });
  const log = h("div.log.mono", { role: "log", tabIndex: 0, "aria-label": t("The log") });
  const order = Object.keys(LEVELS);

  function add(record) {
    if (!log.querySelector("div")) fill(log, []);
    log.append(line(record));
    while (log.childElementCount > SHOWN) log.firstElementChild.remove();
    if (follow.checked) log.scrollTop = log.scrollHeight;
  }

  const wanted = (record) =>
    order.indexOf(record.level === "critical" ? "error" : record.level) >= order.indexOf(level.value) &&
    `${record.logger} ${record.message} ${record.traceback}`.toLowerCase().includes(search.value.toLowerCase());

  fill(view.actions, [
    button(t("Download"), () => download("/logs/download", { level: level.value, search: search.value }, "aiproxy.log"), { className: "plain" }),
    button(t("Clear"), async () => { await del("/logs"); await load(); }, { className: "plain" }),
  ]);
  fill(view.root, [h("div.row", {}, level, search, h("label.row", {}, follow, t("Follow"))), log]);
  await load();
  view.on({ opened: load, log: (record) => wanted(record) && add(record) }); // what came before the stream is open is not told
}

const line = (record) =>
  h("div", {}, h("span.faint", time(record.at)), " ", badge(record.level, KINDS[record.level]), " ", h("span.faint", `${record.logger}: `), record.message,
    record.traceback && h("pre", record.traceback));
