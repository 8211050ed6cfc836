// What was used: by key, team, model, account and day, of all or of one of them, as a chart and as a table, to take along as CSV or JSON.

import { download, get } from "../api.js";
import { columns, filled } from "../charts.js";
import { bytes, count, dollars, short } from "../format.js";
import { button, card, choice, field, figure, fill, h, table } from "../ui.js";
import { later, t } from "../words.js";

const GROUPS = {
  client: later("Client"),
  tag: later("Team"),
  model: later("Model"),
  asked: later("Model asked for"),
  account: later("Account"),
  provider: later("Provider"),
  protocol: later("Protocol"),
  outcome: later("Outcome"),
  day: later("Day"),
  hour: later("Hour"),
};
const TIMES = ["day", "hour"];
const DAYS = [["1", later("Last 24 hours")], ["7", later("Last 7 days")], ["30", later("Last 30 days")], ["365", later("Last year")]];

export const input = (row) => row.input_uncached + row.cache_read + row.cache_write + row.cache_write_1h + row.audio_in + row.image_in + row.tool_prompt;
export const output = (row) => row.output_visible + row.reasoning + row.audio_out + row.image_out;

export async function show(view) {
  const by = choice(Object.entries(GROUPS).map(([name, words]) => [name, t(words)]), view.query.get("by") || "model", { onchange: changed });
  const days = choice(DAYS.map(([key, words]) => [key, t(words)]), view.query.get("days") || "7", { onchange: changed });
  const only = Object.fromEntries([...view.query].filter(([name]) => name in GROUPS && !TIMES.includes(name)));
  const go = (of) => (location.hash = `#/usage?${new URLSearchParams({ by: by.value, days: days.value, ...of })}`);
  function changed() {
    go(only);
  }
  // A row leads to what it is made of: the usage of this key, team or model alone.
  const into = (row) => row[by.value] && go({ ...only, [by.value]: row[by.value], by: by.value === "model" ? "client" : "model" });
  const less = ([name, value]) =>
    button(t("{what}: {value} ×", { what: t(GROUPS[name]), value }), async () => go(Object.fromEntries(Object.entries(only).filter(([other]) => other !== name))), { className: "plain" });
  const since = Math.floor(Date.now() / 1000 - Number(days.value) * 86400);
  const over = days.value === "1" ? "hour" : "day";
  const [time, rows, [all]] = await Promise.all(
    [over, by.value, ""].map(async (group) => (await get("/usage/sums", { ...only, by: group, since }, view.signal)).usage),
  );
  const progress = h("span.faint", { role: "status" });
  const taken = (path, query, name) => async () => {
    fill(progress, t("The export is being made …"));
    await download(path, query, name, (size) => fill(progress, bytes(size))).finally(() => fill(progress, []));
  };
  fill(view.actions, [
    progress,
    button(t("Export CSV"), taken("/usage/sums", { ...only, by: by.value === "tag" ? "day,tag,client,model,account" : "day,client,model,account", since, format: "csv" }, "usage.csv"), { className: "plain" }),
    button(t("Export JSON"), taken("/usage/export", only, "usage.json"), { className: "plain" }),
  ]);
  const [INPUT, CACHED, OUTPUT] = [t("Input"), t("Cache read"), t("Output")];
  fill(view.root, [
    h("div.row", {}, field(t("By"), by), field(t("Time"), days)),
    Object.keys(only).length > 0 && h("div.row", {}, t("Only"), Object.entries(only).map(less)),
    h("div.figures", {},
      figure(t("Attempts"), count(all.attempts), all.failed ? t("{count} failed", { count: count(all.failed) }) : ""),
      figure(INPUT, short(input(all))),
      figure(OUTPUT, short(output(all))),
      figure(t("Cost"), dollars(all.cost_usd), all.unpriced ? t("{count} without a price", { count: count(all.unpriced) }) : "")),
    card(t("Tokens"), columns(
      filled(time, over, since, (row) => (row ? [input(row) - row.cache_read, row.cache_read, output(row)] : [0, 0, 0])),
      [[INPUT, "blue"], [CACHED, "green"], [OUTPUT, "amber"]], t("Tokens over time"), short)),
    card(t("By {what}", { what: t(GROUPS[by.value]) }), table(
      [
        { title: t(GROUPS[by.value]), cell: (row) => String(row[by.value]) || "–" },
        { title: t("Attempts"), number: true, cell: (row) => count(row.attempts) },
        { title: t("Failed"), number: true, cell: (row) => count(row.failed) },
        { title: INPUT, number: true, cell: (row) => count(input(row)) },
        { title: CACHED, number: true, cell: (row) => count(row.cache_read) },
        { title: OUTPUT, number: true, cell: (row) => count(output(row)) },
        { title: t("Reasoning"), number: true, cell: (row) => count(row.reasoning) },
        { title: t("Cost"), number: true, cell: (row) => (row.unpriced === row.attempts && row.attempts ? "–" : dollars(row.cost_usd)) },
      ],
      [...rows].sort((a, b) => (by.value === over || by.value === "hour" ? 0 : b.cost_usd - a.cost_usd || b.attempts - a.attempts)),
      { empty: t("Nothing was used in this time."), onrow: TIMES.includes(by.value) ? undefined : into, key: (row) => row[by.value] })),
  ]);
}
