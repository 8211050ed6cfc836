// What was used: by key, model, account and day, as a chart and as a table, to take along as CSV or JSON.

import { download, get } from "../api.js";
import { columns, filled } from "../charts.js";
import { count, dollars, short } from "../format.js";
import { button, card, choice, field, figure, fill, h, table } from "../ui.js";
import { later, t } from "../words.js";

const GROUPS = {
  client: later("Client"),
  model: later("Model"),
  asked: later("Model asked for"),
  account: later("Account"),
  provider: later("Provider"),
  protocol: later("Protocol"),
  outcome: later("Outcome"),
  day: later("Day"),
  hour: later("Hour"),
};
const DAYS = [["1", later("Last 24 hours")], ["7", later("Last 7 days")], ["30", later("Last 30 days")], ["365", later("Last year")]];

export const input = (row) => row.input_uncached + row.cache_read + row.cache_write + row.cache_write_1h + row.audio_in + row.image_in + row.tool_prompt;
export const output = (row) => row.output_visible + row.reasoning + row.audio_out + row.image_out;

export async function show(view) {
  const by = choice(Object.entries(GROUPS).map(([name, words]) => [name, t(words)]), view.query.get("by") || "model", { onchange: changed });
  const days = choice(DAYS.map(([key, words]) => [key, t(words)]), view.query.get("days") || "7", { onchange: changed });
  function changed() {
    location.hash = `#/usage?by=${by.value}&days=${days.value}`;
  }
  const since = Math.floor(Date.now() / 1000 - Number(days.value) * 86400);
  const over = days.value === "1" ? "hour" : "day";
  const [time, rows, [all]] = await Promise.all(
    [over, by.value, ""].map(async (group) => (await get("/usage/sums", { by: group, since }, view.signal)).usage),
  );
  fill(view.actions, [
    button(t("Export CSV"), () => download("/usage/sums", { by: `day,client,model,account`, since, format: "csv" }, "usage.csv"), { className: "plain" }),
    button(t("Export JSON"), () => download("/usage/export", {}, "usage.json"), { className: "plain" }),
  ]);
  const [INPUT, CACHED, OUTPUT] = [t("Input"), t("Cache read"), t("Output")];
  fill(view.root, [
    h("div.row", {}, field(t("By"), by), field(t("Time"), days)),
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
      { empty: t("Nothing was used in this time.") })),
  ]);
}
