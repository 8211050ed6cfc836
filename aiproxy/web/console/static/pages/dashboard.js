// How it goes: figures of the last day, live; what wants attention; how clients are set up.

import { get } from "../api.js";
import { columns, filled } from "../charts.js";
import { count, dollars, duration, percent, short } from "../format.js";
import { card, copied, choice, figure, fill, h } from "../ui.js";
import { t } from "../words.js";
import { rows } from "./requests.js";
import { input, output } from "./usage.js";

const SPAN = 86400;

export async function show(view) {
  const figures = h("div.figures");
  const charts = h("div.grid");
  const attention = h("div");
  const latest = h("div");
  fill(view.root, [figures, charts, card(t("Wants attention"), attention), card(t("Latest calls"), latest), setUp()]);

  async function load() {
    const since = Math.floor(Date.now() / 3600000) * 3600 - SPAN + 3600;
    const [{ usage }, { requests }, ready] = await Promise.all([
      get("/usage/sums", { by: "hour", since }, view.signal),
      get("/requests", { since, limit: 1000 }, view.signal),
      fetch("/readyz?verbose", { signal: view.signal }).then((answer) => answer.json()),
    ]);
    draw(figures, charts, usage, requests, since);
    fill(latest, rows(requests.slice(0, 8)));
    const wrong = (ready.checks || []).filter((check) => !check.ok);
    fill(attention, wrong.length
      ? h("ul", wrong.map((check) => h("li", {}, h("strong", check.name), " ", check.detail)))
      : h("p.good", t("Nothing: everything that readiness depends on is well.")));
  }

  await load();
  view.every(5, load);
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
function setUp() {
  const base = location.origin;
  const key = "$AIPROXY_KEY";
  const CLIENTS = {
    "Claude Code": `export ANTHROPIC_BASE_URL=${base}\nexport ANTHROPIC_AUTH_TOKEN=${key}\nclaude --model MODEL`,
    Codex: `# ~/.codex/config.toml\nmodel = "MODEL"\nmodel_provider = "aiproxy"\n\n[model_providers.aiproxy]\nname = "aiproxy"\nbase_url = "${base}/v1"\nenv_key = "AIPROXY_KEY"\nwire_api = "responses"`,
    "Gemini CLI": `export GOOGLE_GEMINI_BASE_URL=${base}\nexport GEMINI_API_KEY=${key}\ngemini --model MODEL`,
    "OpenAI SDK": `from openai import OpenAI\n\nclient = OpenAI(base_url="${base}/v1", api_key=os.environ["AIPROXY_KEY"])`,
    "Cherry Studio": `Provider type: OpenAI\nAPI host: ${base}\nAPI key: ${key}`,
    Cline: `API Provider: OpenAI Compatible\nBase URL: ${base}/v1\nAPI Key: ${key}\nModel ID: MODEL`,
    Ollama: `export OLLAMA_HOST=${base}\nollama run MODEL`,
  };
  const text = h("pre");
  const actions = h("span");
  const pick = choice(Object.keys(CLIENTS), "Claude Code", { "aria-label": t("Client"), onchange: turn });
  function turn() {
    fill(text, CLIENTS[pick.value]);
    fill(actions, copied(CLIENTS[pick.value]));
  }
  turn();
  return card(t("Set a client up"), h("div.row", {}, pick, actions), text);
}
