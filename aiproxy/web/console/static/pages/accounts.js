// The accounts of all providers: how each is and why, what is left of its quotas, and what a hand may do about it.

import { get, patch, post, segment } from "../api.js";
import { count, dollars, percent, short, time, until } from "../format.js";
import { badge, button, card, choice, dialog, field, fill, form, h, meter, pairs, safely, submit, table, tell } from "../ui.js";
import { later, said, t, why } from "../words.js";
import { files } from "./accounts/files.js";
import { logIn } from "./accounts/login.js";
import { many } from "./accounts/many.js";
import { input, output } from "./usage.js";

const STATES = {
  ready: ["good", later("ready")],
  limited: ["warn", later("some models rest")],
  resting: ["warn", later("rests")],
  refused: ["bad", later("refused")],
  disabled: ["", later("disabled")],
};

const ACCOUNT = (name) => `/accounts/${name.split("/").map(segment).join("/")}`;

export const state = (name) => {
  const [kind, words] = STATES[name] || ["", name];
  return badge(t(words), kind);
};

export async function show(view) {
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search"), oninput: draw });
  const which = choice([["", t("All states")], ...Object.entries(STATES).map(([key, [, words]]) => [key, t(words)])], view.query.get("state") || "", { "aria-label": t("State"), onchange: draw });
  const list = h("div");
  let found = [];

  function shown() {
    const words = search.value.toLowerCase();
    return found.filter((row) => (!which.value || row.state === which.value) && `${row.account} ${row.provider} ${row.login?.whose || ""}`.toLowerCase().includes(words));
  }

  function draw() {
    const groups = Map.groupBy(shown(), (row) => row.provider);
    clear.hidden = !shown().some(rested);
    fill(list, groups.size
      ? [...groups].sort().map(([provider, rows]) => group(provider, rows))
      : h("p.empty", found.length ? t("No such accounts.") : t("No accounts. Log one in, or write keys into the configuration.")));
  }

  function group(provider, rows) {
    const well = rows.filter((row) => row.state === "ready").length;
    return card(h("span", {}, provider, " ", badge(t("{well} of {all} ready", { well, all: rows.length }), well === rows.length ? "good" : "warn")), table(
      [
        { title: t("Account"), cell: (row) => [h("strong", row.account), row.login?.whose && h("div.faint", row.login.whose), row.note && h("div.faint", row.note)] },
        { title: t("State"), cell: (row) => [state(row.state), (row.rests || []).map(rest)] },
        { title: t("Quota"), cell: (row) => (row.quotas || []).map(quota) },
        { title: t("Token until"), cell: (row) => (row.login?.expires ? time(row.login.expires) : "–") },
        { title: t("In use"), number: true, cell: (row) => count(row["in-use"]) },
        { title: t("Attempts, last day"), number: true, cell: (row) => count(row.used?.attempts ?? 0) },
        { title: t("Cost"), number: true, cell: (row) => dollars(row.used ? row.used.cost_usd : 0) },
      ],
      rows,
      { onrow: (row) => one(row.account), key: (row) => row.account, even: true },
    ));
  }

  async function load() {
    const told = await get("/accounts", {}, view.signal);
    found = told.accounts.sort((a, b) => a.account.localeCompare(b.account, undefined, { numeric: true }));
    draw();
    fill(left, Object.keys(told.refused).length > 0 && card(t("Left out"), table(
      [{ title: t("Account"), cell: ([name]) => name }, { title: t("Why"), cell: ([, why]) => why }], Object.entries(told.refused))));
  }

  async function one(name) {
    await dialog(name, () => {
      const inside = h("div");
      const redraw = async () => fill(inside, details(await get(ACCOUNT(name)), redraw));
      safely(redraw)();
      return inside;
    });
    await load();
  }

  const left = h("div");
  // Of those that are shown: who searches for some means them.
  const clear = button(t("Clear all rests"), all("clear", rested), { className: "plain" });
  fill(view.actions, [
    button(t("Log in"), async () => (await logIn()) && load()),
    button(t("Credential files"), async () => { await files(); await load(); }, { className: "plain" }),
    button(t("Probe all"), all("probe", (row) => row.state !== "disabled" && row.models), { className: "plain" }),
    clear,
  ]);
  fill(view.root, [h("div.row", {}, search, which), list, left]);

  function all(path, of) {
    return async () => {
      const rows = shown().filter(of);
      await many(t("{count} accounts", { count: count(rows.length) }), rows, (row) => post(`${ACCOUNT(row.account)}/${path}`));
      await load();
    };
  }

  await load();
  if (view.rest) safely(one)(view.rest);
  view.on({ account: load, configuration: load });
  view.every(5, load);
}

const rested = (row) => row.rests?.length > 0;

const rest = (each) => h("div.faint", {}, each.model ? `${each.model}: ` : "", why(each.reason), ", ", t("{time} left", { time: until(each.until) }));

const quota = (window) =>
  h("div", {}, meter(1 - window.used, `${window.name}${window.model ? ` ${window.model}` : ""}: ${percent(1 - window.used)}${window.ends ? `, ${t("anew in {time}", { time: until(window.ends) })}` : ""}`));

function details(row, redraw) {
  const acts = (path, body) => async () => {
    const told = await post(`${ACCOUNT(row.account)}/${path}`, body);
    if ("works" in told) tell(told.works ? t("It works.") : told.error ? said("error", told.code, told.error) : t("It cannot be asked."), told.works ? "good" : "bad");
    else tell(t("Done."));
    await redraw();
  };
  const priority = h("input", { type: "number", value: row.priority ?? "" });
  const weight = h("input", { type: "number", min: 1, value: row.weight ?? "" });
  const note = h("input", { value: row.note || "" });
  const model = choice(row.models || [], (row.models || [])[0], { "aria-label": t("Model") });
  const login = row.login;
  return [
    h("div.row", {},
      state(row.state),
      row.state === "disabled" || row.state === "refused" ? button(t("Enable"), acts("enable")) : button(t("Disable"), acts("disable"), { className: "plain" }),
      rested(row) && button(t("Clear rests"), acts("clear"), { className: "plain" }),
      button(t("Probe"), acts("probe"), { className: "plain" }),
      login?.renewable && button(t("Renew token"), acts("refresh"), { className: "plain" }),
      row["tells-quota"] && button(t("Ask for quota"), acts("quota"), { className: "plain" })),
    row.models?.length > 0 && h("div.row", {}, model, button(t("Test this model"), () => acts("test", { model: model.value })(), { className: "plain" })),
    (row.rests || []).map(rest),
    (row.quotas || []).map(quota),
    pairs([
      [t("Provider"), row.provider],
      [t("Address"), row["base-url"]],
      [t("Whose"), login?.whose],
      [t("Plan"), login?.plan],
      [t("Project"), login?.project],
      [t("Token until"), login?.expires && time(login.expires)],
      [t("Renewed"), login?.refreshed && time(login.refreshed)],
      [t("Refused"), login?.refused],
      [t("Problem"), login?.problem],
      [t("Closed channel"), login?.closed && said("closed", row.provider, login.closed)],
      [t("Concurrency"), row.concurrency || null],
      [t("Attempts, last day"), row.used && `${count(row.used.attempts)} (${t("{count} failed", { count: count(row.used.failed) })})`],
      [t("Tokens, last day"), row.used && `${short(input(row.used))} → ${short(output(row.used))}`],
      [t("Cost"), row.used && dollars(row.used.cost_usd)],
      [t("In the configuration"), row.place],
      [t("Models"), (row.models || []).join(", ")],
    ]),
    row.models && form(async () => {
      await patch(ACCOUNT(row.account), { priority: Number(priority.value), weight: Number(weight.value), ...(note.value !== row.note && { note: note.value }) });
      tell(t("Saved."));
      await redraw();
    }, h("div.row", {},
      field(t("Priority"), priority, t("Smaller is used first.")),
      field(t("Weight"), weight),
      field(t("Note"), note),
      submit(t("Save")))),
  ];
}
