// The calls that have ended, newest first and live; one of them with its decisions, attempts, usage and cost.

import { get, post, segment } from "../api.js";
import { count, dollars, duration, time } from "../format.js";
import { badge, button, card, choice, fill, h, pairs, sure, table } from "../ui.js";
import { later, t, why } from "../words.js";

const FILTERS = { client: later("Client"), model: later("Model"), protocol: later("Protocol"), error: later("Error") };
const KEPT_WITHIN = 3000; // milliseconds until what has ended is among the records for sure

const KINDS = { complete: ["good", later("complete")], failed: ["bad", later("failed")], cut: ["bad", later("broken off")], cancelled: ["warn", later("given up by the client")] };

export function outcome(row) {
  const [kind, words] = KINDS[row.outcome] || ["", row.outcome];
  return badge(row.error ? `${t(words)}: ${why(row.error)}` : t(words), kind);
}

export async function show(view) {
  if (view.rest) return one(view, view.rest);
  const inputs = Object.entries(FILTERS).map(([name, words]) =>
    h("input", { placeholder: t(words), "aria-label": t(words), value: view.query.get(name) || "", onchange: changed }));
  const failed = choice([["", t("All outcomes")], ["true", t("Only failures")]], view.query.get("failed") || "", { "aria-label": t("Outcome"), onchange: changed });
  const list = h("div");
  const going = h("div");

  function changed() {
    const asked = new URLSearchParams(Object.keys(FILTERS).map((name, place) => [name, inputs[place].value.trim()]).filter(([, value]) => value));
    if (failed.value) asked.set("failed", "true");
    location.hash = `#/requests?${asked}`;
  }

  let listed = "";
  async function load() {
    const { requests } = await get("/requests", { ...Object.fromEntries(view.query), limit: 200 }, view.signal);
    const told = JSON.stringify(requests);
    if (told !== listed) fill(list, rows(requests)); // a click on a row that is drawn anew between press and release is lost
    listed = told;
  }

  async function look() {
    const { requests } = await get("/live", {}, view.signal);
    fill(going, requests.length > 0 && card(t("Under way"), underWay(requests, look)));
    await load();
  }

  fill(view.actions, button(t("Refresh"), load, { className: "plain" }));
  fill(view.root, [h("div.row.filters", {}, inputs, failed), going, card(null, list)]);
  await look();
  let until = 0;
  const news = () => (until = Date.now() + KEPT_WITHIN);
  view.on({ opened: news, begun: news, ended: news });
  view.every(0.5, async () => Date.now() < until && (await look()));
}

async function end(row) {
  const question = t("The call of {client} to {model} ends with an error, which says that an operator has ended it.", row);
  if (await sure(question, t("End the call"))) await post(`/requests/${segment(row.request_id)}/cancel`);
}

const underWay = (calls, look) =>
  table(
    [
      { title: t("Began"), cell: (row) => time(row.at) },
      { title: t("Client"), cell: (row) => row.client },
      { title: t("Protocol"), cell: (row) => row.protocol },
      { title: t("Model"), cell: (row) => row.model },
      { title: t("Account"), cell: (row) => row.account || "–" },
      { title: t("First byte"), number: true, cell: (row) => duration(row.first_byte) },
      { title: t("So far"), number: true, cell: (row) => duration(row.seconds) },
      { title: t("Attempts"), number: true, cell: (row) => count(row.attempts) },
      { title: "", cell: (row) => button(t("End"), async () => { await end(row); await look(); }, { className: "plain" }) },
    ],
    calls,
    { key: (row) => row.request_id },
  );

export const rows = (requests) =>
  table(
    [
      { title: t("Ended"), cell: (row) => time(row.at) },
      { title: t("Client"), cell: (row) => row.client },
      { title: t("Protocol"), cell: (row) => row.protocol },
      { title: t("Model"), cell: (row) => row.model },
      { title: t("Outcome"), cell: outcome },
      { title: t("First byte"), number: true, cell: (row) => duration(row.first_byte) },
      { title: t("Total"), number: true, cell: (row) => duration(row.seconds) },
      { title: t("Attempts"), number: true, cell: (row) => count(row.attempts) },
    ],
    requests,
    { empty: t("No calls yet."), onrow: (row) => (location.hash = `#/requests/${segment(row.request_id)}`), key: (row) => row.request_id },
  );

async function one(view, id) {
  const call = await get(`/requests/${segment(id)}`, {}, view.signal);
  fill(view.actions, h("a", { href: "#/requests" }, t("All requests")));
  const attempts = table(
    [
      { title: t("Account"), cell: (row) => row.account },
      { title: t("Provider"), cell: (row) => row.provider },
      { title: t("Model"), cell: (row) => row.model },
      { title: t("Outcome"), cell: outcome },
      { title: t("Time"), number: true, cell: (row) => duration(row.seconds) },
      { title: t("Input"), number: true, cell: (row) => count(row.input_uncached) },
      { title: t("Cache read"), number: true, cell: (row) => count(row.cache_read) },
      { title: t("Output"), number: true, cell: (row) => count(row.output_visible) },
      { title: t("Reasoning"), number: true, cell: (row) => count(row.reasoning) },
      { title: t("Cost"), number: true, cell: (row) => dollars(row.cost) },
    ],
    call.attempts,
    { empty: t("No upstream was asked.") },
  );
  fill(view.root, [
    card(call.request_id, pairs([
      [t("Ended"), time(call.at)],
      [t("Client"), call.client],
      [t("Protocol"), `${call.protocol} ${call.operation}`],
      [t("Model"), call.model],
      [t("Outcome"), outcome(call)],
      [t("First byte"), duration(call.first_byte)],
      [t("Total"), duration(call.seconds)],
      [t("Streamed"), call.streamed ? t("yes") : t("no")],
      [t("Warnings"), (call.warnings || []).join("; ")],
    ])),
    card(t("Attempts"), line(call), attempts),
    call.decision.length > 0 && card(t("Decisions"), decisions(call)),
  ]);
}

const TAKEN = { strategy: later("by turn"), session: later("by its session"), state: later("by the state it made"), probe: later("to see whether it is back") };

// Who was taken for each attempt and why, and who was passed over.
const decisions = (call) => [
  table(
    [
      { title: t("At"), number: true, cell: (row) => duration(row.at) },
      { title: t("Account"), cell: (row) => row.account || t("nobody") },
      { title: t("Model"), cell: (row) => row.model },
      { title: t("Why"), cell: (row) => [row.why && t(TAKEN[row.why] || row.why), row.stage !== "asked" && h("div.faint", why(row.stage))] },
      { title: t("Waited"), number: true, cell: (row) => duration(row.waited) },
      { title: t("Passed over"), cell: (row) => row.passed.map((each) => h("div", {}, `${each.account} ${each.model}: `, why(each.why), each.until && h("span.faint", " ", t("until {time}", { time: time(each.until) })))) },
    ],
    call.decision,
  ),
  call.continued && h("p", t("The answer that was cut went on at another account.")),
];

// The time line: what part of the whole each attempt took.
function line(call) {
  const began = call.at - call.seconds;
  return h("div.timeline", { role: "img", "aria-label": t("Time line of the attempts") }, call.attempts.map((attempt) => {
    const bar = h(`span.span.${KINDS[attempt.outcome]?.[0] || "warn"}`, { title: `${attempt.account}: ${duration(attempt.seconds)}` });
    const ended = attempt.at || call.at;
    bar.style.marginLeft = `${Math.max(0, ((ended - attempt.seconds - began) / call.seconds) * 100)}%`;
    bar.style.width = `${Math.max(0.5, (attempt.seconds / call.seconds) * 100)}%`;
    return h("div.track", {}, bar);
  }));
}
