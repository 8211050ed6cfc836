// The versions of the configuration that were in use: who made each and why, what it changed, and one of them brought back.

import { ask, get, segment } from "../../api.js";
import { bytes, time } from "../../format.js";
import { badge, button, choice, dialog, fill, h, safely, table, tell } from "../../ui.js";
import { t } from "../../words.js";

// Resolves with whether one was brought back. `version` is that of the text which is kept now, as the page has read it.
export const history = (version) => dialog(t("History"), (close) => {
  const list = h("div");
  safely(async () => fill(list, table(
    [
      { title: t("In use since"), cell: (row) => [time(row.at), " ", row.kept && badge(t("kept now"), "good")] },
      { title: t("Author"), cell: (row) => row.author || "–" },
      { title: t("Why"), cell: (row) => row.reason || "–" },
      { title: t("Size"), number: true, cell: (row) => bytes(row.bytes) },
    ],
    (await get("/config/history")).versions,
    { empty: t("No versions yet."), onrow: async (row) => (await one(row, version)) && close(true), key: (row) => row.id },
  )))();
  return list;
});

// Resolves with whether it was brought back.
const one = (row, version) => dialog(t("Version of {time}", { time: time(row.at) }), (close) => {
  const lines = h("div");
  const against = choice([["", t("the version before")], ["kept", t("what is kept now")]], row.kept ? "" : "kept", { "aria-label": t("Compared with"), onchange: safely(load) });
  async function load() {
    const told = await get(`/config/history/${segment(row.id)}`, { against: against.value });
    fill(lines, told.lines.length ? difference(told.lines) : h("p.empty", t("They are the same.")));
  }
  const back = async () => {
    await ask("POST", `/config/history/${segment(row.id)}/restore`, { headers: version && { "if-match": version } });
    tell(t("Saved; it is in effect."));
    close(true);
  };
  safely(load)();
  return [
    h("p", [row.author, row.reason].filter(Boolean).join(": ")),
    h("div.row", {}, t("Compared with"), against),
    lines,
    h("footer", {}, !row.kept && button(t("Bring it back"), back)),
  ];
});

export const difference = (lines) =>
  h("pre.diff", lines.map((line) => h(line.startsWith("+") ? "span.good" : line.startsWith("-") ? "span.bad" : "span.faint", `${line}\n`)));
