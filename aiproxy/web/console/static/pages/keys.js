// Client keys: who may call, what for, and how their limits stand. A key is shown once, when it is made.

import { del, get, post, segment } from "../api.js";
import { time } from "../format.js";
import { badge, button, card, copied, dialog, field, fill, form, h, meter, submit, sure, table } from "../ui.js";
import { later, t } from "../words.js";

const DAY = 86400000;

const MOST = {
  "limits.requests-per-minute": later("Requests per minute"),
  "limits.requests-per-day": later("Requests per day"),
  "limits.tokens-per-minute": later("Tokens per minute"),
  "limits.concurrent": later("Calls at a time"),
  "budget.tokens-per-month": later("Tokens per month"),
  "budget.usd-per-month": later("US dollars per month"),
};

const STATES = { works: ["good", later("works")], disabled: ["", later("disabled")], expired: ["bad", later("expired")], ended: ["bad", later("ended")] };

export async function show(view) {
  const list = h("div");
  const limits = h("div");

  const schema = await get("/config/schema", {}, view.signal);

  async function load() {
    const [told, standing] = await Promise.all([get("/keys", {}, view.signal), get("/limits", {}, view.signal)]);
    fill(list, [told.open && h("p.warn", t("No key is asked for: whoever reaches this address may call.")), table(
      [
        { title: t("Name"), cell: (row) => [h("strong", row.name || row.id), h("div.faint", row.managed ? t("managed: {id}", { id: row.id }) : t("in the configuration"))] },
        { title: t("State"), cell: (row) => badge(t(STATES[row.state][1]), STATES[row.state][0]) },
        { title: t("Until"), cell: (row) => time(row.until) },
        { title: t("May"), cell: (row) => said(schema, "ClientKey", row.settings) },
        { title: "", cell: (row) => row.state !== "ended" && h("div.row", {},
          button(t("Rotate"), () => rotate(row), { className: "plain" }),
          button(t("Revoke"), () => revoke(row), { className: "danger" })) },
      ],
      told.keys,
      { empty: t("No client keys yet."), key: (row) => row.id },
    )]);
    const all = [...standing.keys.flatMap(({ key, limits: its }) => its.map((each) => ({ key, ...each }))), ...standing.models.map((each) => ({ key: each.of, ...each }))];
    fill(limits, all.length > 0 && card(t("Limits"), table(
      [
        { title: t("Of"), cell: (row) => row.key },
        { title: t("Limit"), cell: (row) => row.limit },
        { title: t("Left"), cell: (row) => meter(row.most ? row.remaining / row.most : 0, `${row.remaining} / ${row.most}`) },
        { title: "", cell: (row) => (row.enforced ? "" : badge(t("only counted"))) },
      ],
      all,
    )));
  }

  async function once(told) {
    await dialog(t("The key, shown this once"), (close) => [
      h("pre", told.key),
      h("footer", {}, copied(told.key), button(t("I have it"), () => close())),
    ]);
    await load();
  }

  async function create() {
    const made = await dialog(t("New client key"), (close) => {
      const name = h("input", { required: true });
      const models = h("input", { placeholder: "gpt-*, claude-sonnet-4-5" });
      const tags = h("input", { placeholder: "research" });
      const managed = h("input", { type: "checkbox", checked: true });
      const until = h("input", { type: "date", min: new Date(Date.now() + DAY).toISOString().slice(0, 10) });
      const most = Object.fromEntries(Object.keys(MOST).map((path) => [path, h("input", { type: "number", min: 0, step: path.includes("usd") ? "any" : 1 })]));
      return form(async () => {
        const settings = {};
        for (const [setting, input] of [["models", models], ["tags", tags]]) {
          const listed = input.value.split(",").map((each) => each.trim()).filter(Boolean);
          if (listed.length) settings[setting] = listed;
        }
        for (const [path, input] of Object.entries(most)) {
          const [group, setting] = path.split(".");
          if (input.value) (settings[group] ??= {})[setting] = Number(input.value);
        }
        if (until.value && !managed.checked) settings.expires = until.value;
        const ends = until.value && managed.checked ? { until: (Date.parse(until.value) + DAY) / 1000 } : {}; // with that day, as `expires`
        close(await post("/keys", { name: name.value, settings, managed: managed.checked, ...ends }));
      },
        field(t("Whose it is"), name),
        field(t("Teams"), tags, t("Tags, with commas, that usage and limits are told apart by.")),
        field(t("Models"), models, t("Patterns with commas; empty allows all.")),
        h("div.sides.narrow", {}, Object.entries(MOST).map(([path, words]) => field(t(words), most[path])), field(t("Ends on"), until)),
        h("label.row", {}, managed, t("Managed: only its digest is kept, in the state")),
        h("footer", {}, submit(t("Make it"))));
    });
    if (made) await once(made);
  }

  async function rotate(row) {
    const hours = h("input", { type: "number", min: 0, max: 744, value: row.managed ? 24 : 0, disabled: !row.managed });
    const made = await dialog(t("Another key for {name}", { name: row.name }), (close) =>
      form(async () => close(await post(`/keys/${segment(row.id)}/rotate`, { overlap: Number(hours.value) * 3600 })),
        field(t("Hours that the old one works on"), hours, t("Managed keys only.")),
        h("footer", {}, submit(t("Rotate")))));
    if (made) await once(made);
  }

  async function revoke(row) {
    if (!(await sure(t("Whoever holds the key of {name} is refused from now on.", { name: row.name || row.id }), t("Revoke")))) return;
    try {
      await del(`/keys/${segment(row.id)}`);
    } catch (error) {
      if (error.status !== 409) throw error;
      if (!(await sure(t("It is the last key: without it no key is asked for any more."), t("Revoke")))) return;
      await del(`/keys/${segment(row.id)}`, { last: true });
    }
    await load();
  }

  fill(view.actions, button(t("New key"), create));
  fill(view.root, [card(null, list), limits]);
  await load();
  view.every(10, load);
}

// What was set of a key, a line each: all that isn't as the schema has it when nothing is said.
function said(schema, of, settings) {
  const known = schema.$defs[of].properties;
  return Object.entries(settings).flatMap(([name, value]) => {
    const about = known[name] || {};
    const inner = about.anyOf?.find((each) => each.$ref);
    if (inner && value) return said(schema, inner.$ref.split("/").pop(), value);
    const empty = value === null || value === "" || (typeof value === "object" && !Object.keys(value).length);
    if (empty || value === about.default) return [];
    const shown = Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
    return [h("div", {}, h("span.faint", `${name}: `), shown)];
  });
}
