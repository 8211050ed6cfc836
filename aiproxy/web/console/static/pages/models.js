// The names that clients may ask for, who answers to each, and where a call would go and why.

import { get } from "../api.js";
import { PROTOCOLS } from "../protocols.js";
import { badge, button, card, choice, field, fill, form, h, newest, pairs, safely, submit, table } from "../ui.js";
import { t, why } from "../words.js";

export async function show(view) {
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search"), oninput: draw });
  const list = h("div");
  const plan = h("div", { "aria-live": "polite" });
  const model = h("input", { value: view.query.get("model") || "", required: true });
  const protocol = choice(Object.entries(PROTOCOLS).map(([name, { title }]) => [name, title]), view.query.get("protocol") || "openai-chat");
  const { keys } = await get("/keys", {}, view.signal);
  const key = choice([["", t("Anybody")], ...keys.filter((each) => each.name).map((each) => [each.name, each.name])], view.query.get("key") || "");
  let models = {};

  function draw() {
    const words = search.value.toLowerCase();
    const rows = Object.entries(models).filter(([name, served]) => `${name} ${served.join(" ")}`.toLowerCase().includes(words));
    fill(list, table(
      [
        { title: t("Model"), cell: ([name]) => h("strong", name) },
        { title: t("Asked first"), cell: ([, served]) => served.slice(0, 6).join(", ") + (served.length > 6 ? " …" : "") },
        { title: t("Accounts"), number: true, cell: ([, served]) => String(served.length) },
      ],
      rows,
      { empty: t("No model is served."), onrow: ([name]) => { model.value = name; return foresee(); }, key: ([name]) => name },
    ));
  }

  const load = newest((discover) => get("/models", { key: key.value, discover }, view.signal), (told) => {
    models = told.models;
    draw();
  });

  const foresee = newest(
    () => model.value && get("/route", { model: model.value, protocol: protocol.value, key: key.value }, view.signal).catch((error) => ({ refusal: error.message })),
    (told) => {
      if (!told) return;
      fill(plan, explained(told));
      plan.scrollIntoView({ block: "nearest" });
    },
  );

  fill(view.actions, button(t("Ask upstreams for their lists"), () => load("true"), { className: "plain" }));
  fill(view.root, [
    card(t("Where would a call go?"),
      form(foresee, h("div.row", {}, field(t("Model"), model), field(t("Protocol"), protocol), field(t("Client key"), key), submit(t("Show the route")))),
      plan),
    card(t("Models"), h("div.row", {}, search), list),
  ]);
  key.addEventListener("change", safely(() => load()));
  await load();
  await foresee();
}

function explained(told) {
  const out = [];
  if (told.objection) out.push(h("p.bad", told.objection));
  if (told.refusal) out.push(h("p.bad", { role: "alert" }, told.refusal));
  if (!told.stages) return out;
  out.push(pairs([[t("Comes down to"), [told.provider, told.model].filter(Boolean).join(" / ")], [t("Thinking asked for by the name"), told.reasoning ? t("yes") : ""]]));
  const resting = new Map((told["not-ready"] || []).map((each) => [`${each.account} ${each.model}`, each]));
  told.stages.forEach((stage, number) => {
    out.push(h("h3", `${number + 1}. ${why(stage.because)}: ${stage.model}`));
    out.push(table(
      [
        { title: t("Priority"), number: true, cell: (each) => String(each.priority) },
        { title: t("Account"), cell: (each) => h("strong", each.account) },
        { title: t("Provider"), cell: (each) => each.provider },
        { title: t("Its name for the model"), cell: (each) => each.model },
        { title: t("How"), cell: (each) => [badge(each.lane.translated ? t("translated") : t("passed on"), each.lane.translated ? "warn" : "good"), " ", each.lane.protocol, h("div.faint", each.lane.url)] },
        { title: t("Now"), cell: (each) => {
          const wait = resting.get(`${each.account} ${each.model}`);
          return wait ? badge(why(wait.reason), "warn") : each.lane.refusal ? h("span.bad", each.lane.refusal) : badge(t("ready"), "good");
        } },
      ],
      stage.tiers.flat(),
    ));
  });
  const passed = Object.entries(told.passed_over || {});
  if (passed.length) out.push(h("details", {}, h("summary", t("{count} accounts would not be asked", { count: passed.length })), table(
    [{ title: t("Account"), cell: ([name]) => name }, { title: t("Why"), cell: ([, reason]) => why(reason) }], passed)));
  return out;
}
