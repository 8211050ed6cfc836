// How it goes: figures of the last day, live; what wants attention; how clients are set up.

import { get, segment } from "../api.js";
import { columns, filled } from "../charts.js";
import { count, dollars, duration, percent, short, time } from "../format.js";
import { card, copied, choice, figure, fill, h } from "../ui.js";
import { said, t, why } from "../words.js";
import { state } from "./accounts.js";
import { rows } from "./requests.js";
import { input, output } from "./usage.js";

const SPAN = 86400;
const LIVE = 120; // looks, one a second

export async function show(view) {
  const figures = h("div.figures");
  const charts = h("div.grid");
  const now = h("div.figures", { "aria-live": "off" });
  const live = h("div.grid.small");
  const attention = h("div");
  const latest = h("div");
  fill(view.root, [now, card(t("The last two minutes"), live), figures, charts, card(t("Wants attention"), attention), card(t("Latest calls"), latest), await setUp(view.signal)]);

  async function load() {
    const since = Math.floor(Date.now() / 3600000) * 3600 - SPAN + 3600;
    const [{ usage }, { requests }, { checks }, { accounts, attention: wanting }] = await Promise.all([
      get("/usage/sums", { by: "hour", since }, view.signal),
      get("/requests", { since, limit: 1000 }, view.signal),
      get("/health", {}, view.signal),
      get("/accounts", {}, view.signal),
    ]);
    draw(figures, charts, usage, requests, since);
    fill(latest, rows(requests.slice(0, 8)));
    const wrong = checks.filter((check) => !check.ok);
    const tired = accounts.filter((row) => wanting.includes(row.account));
    fill(attention, wrong.length + tired.length
      ? h("ul", {},
        wrong.map((check) => h("li", {}, h("strong", said("check", check.name)), " ", check.detail)),
        tired.map((row) => h("li", {}, h("a", { href: `#/accounts/${segment(row.account)}` }, row.account), " ", state(row.state), " ", row.login?.refused || why(row.rests?.[0]?.reason || ""))))
      : h("p.good", t("Nothing: all accounts and everything that readiness depends on are well.")));
  }

  const drawNow = (underWay, waiting, calls, tokens) => fill(now, [
    figure(t("Calls under way"), underWay),
    figure(t("Calls waiting"), waiting),
    figure(t("Calls a second"), calls),
    figure(t("Tokens a second"), tokens),
  ]);
  let before = null;
  const looks = Array.from({ length: LIVE }, () => ({ label: "", values: {} }));
  drawNow("–", "–", "–", "–");
  drawLive(live, looks);
  view.on({
    figures: (told) => {
      const seconds = before ? told.at - before.at : 0;
      const rate = (name) => (seconds > 0 ? short((told[name] - before[name]) / seconds) : "–");
      looks.push({ label: time(told.at), values: before ? since(told, before) : {} });
      looks.shift();
      drawLive(live, looks);
      drawNow(count(told["under-way"]), count(told.waiting), rate("requests"), rate("output-tokens"));
      before = told;
    },
  });
  await load();
  view.every(5, load);
}

// What has come between two looks. The gateway tells sums since it began, and the mean time to the first byte of all its calls.
function since(told, before) {
  const more = (name) => told[name] - before[name];
  const waited = (each) => each["first-byte-seconds"] * each["first-bytes"];
  const begun = more("first-bytes");
  return {
    answered: more("requests") - more("failed"), failed: more("failed"), cost: more("cost-usd"),
    input: more("input-tokens"), output: more("output-tokens"), wait: begun > 0 ? (waited(told) - waited(before)) / begun : 0,
  };
}

function drawLive(live, looks) {
  const chart = (title, kinds, shown) =>
    h("div", {}, h("h3", title), columns(looks.map(({ label, values }) => ({ label, values: kinds.map(([name]) => values[name] || 0) })), kinds.map(([, ...kind]) => kind), title, shown));
  fill(live, [
    chart(t("Calls"), [["answered", t("answered"), "green"], ["failed", t("failed"), "red"]], short),
    chart(t("Tokens"), [["input", t("Input"), "blue"], ["output", t("Output"), "amber"]], short),
    chart(t("Cost"), [["cost", t("Cost"), "blue"]], dollars),
    chart(t("Time to the first byte"), [["wait", t("mean"), "amber"]], duration),
  ]);
}

function draw(figures, charts, usage, requests, since) {
  const sum = (of) => usage.reduce((total, row) => total + of(row), 0);
  const failed = requests.filter((row) => row.outcome === "failed" || row.outcome === "cut").length;
  const waits = requests.map((row) => row.first_byte).filter((wait) => wait !== null).sort((a, b) => a - b);
  const median = waits.length ? waits[Math.floor(waits.length / 2)] : null;
  fill(figures, [
    figure(t("Calls, last day"), requests.length === 1000 ? "1000+" : count(requests.length)),
    figure(t("Failed"), requests.length ? percent(failed / requests.length) : "–"),
    figure(t("Time to the first byte"), duration(median), t("median")),
    figure(t("Input tokens"), short(sum(input))),
    figure(t("Output tokens"), short(sum(output))),
    figure(t("Cost"), dollars(sum((row) => row.cost_usd))),
  ]);
  const chart = (title, kinds, values, shown) =>
    card(title, columns(filled(usage, "hour", since, (row) => (row ? values(row) : kinds.map(() => 0))), kinds, title, shown));
  fill(charts, [
    chart(t("Attempts per hour"), [[t("answered"), "green"], [t("failed"), "red"]], (row) => [row.attempts - row.failed, row.failed], short),
    chart(t("Tokens per hour"), [[t("Input"), "blue"], [t("Output"), "amber"]], (row) => [input(row), output(row)], short),
    chart(t("Cost per hour"), [[t("Cost"), "blue"]], (row) => [row.cost_usd], dollars),
  ]);
}

// What to copy into each client; the key is the reader's own.
async function setUp(signal) {
  const { clients } = await get("/setup/clients", {}, signal);
  const text = h("pre");
  const where = h("p.faint");
  const actions = h("span");
  const pick = choice(clients.map((each) => each.client), clients[0].client, { "aria-label": t("Client"), onchange: turn });
  function turn() {
    const chosen = clients.find((each) => each.client === pick.value);
    fill(text, chosen.text);
    fill(where, said("place", chosen.where));
    fill(actions, copied(chosen.text));
  }
  turn();
  return card(t("Set a client up"), h("div.row", {}, pick, actions), where, text);
}
