// Client keys: who may call, what for, and how their limits stand. A key is shown once, when it is made.

import { del, get, post, segment } from "../api.js";
import { time } from "../format.js";
import { badge, button, card, copied, dialog, field, fill, h, meter, sure, table } from "../ui.js";
import { t } from "../words.js";

const KINDS = { works: "good", disabled: "", expired: "bad", ended: "bad" };

export async function show(view) {
  const list = h("div");
  const limits = h("div");

  async function load() {
    const [told, standing] = await Promise.all([get("/keys", {}, view.signal), get("/limits", {}, view.signal)]);
    fill(list, [told.open && h("p.warn", t("No key is asked for: whoever reaches this address may call.")), table(
      [
        { title: t("Name"), cell: (row) => [h("strong", row.name || row.id), h("div.faint", row.managed ? t("managed: {id}", { id: row.id }) : t("in the configuration"))] },
        { title: t("State"), cell: (row) => badge(row.state, KINDS[row.state]) },
        { title: t("Until"), cell: (row) => time(row.until) },
        { title: t("May"), cell: (row) => h("code", JSON.stringify(row.settings)) },
        { title: "", cell: (row) => h("div.row", {},
          button(t("Rotate"), () => rotate(row), { className: "plain" }),
          button(t("Revoke"), () => revoke(row), { className: "danger" })) },
      ],
      told.keys,
      { empty: t("No client keys yet.") },
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
      const budget = h("input", { type: "number", min: 0, step: "any" });
      const minute = h("input", { type: "number", min: 1 });
      const managed = h("input", { type: "checkbox", checked: true });
      return h("form", { onsubmit: (event) => event.preventDefault() },
        field(t("Whose it is"), name),
        field(t("Models"), models, t("Patterns with commas; empty allows all.")),
        field(t("Requests per minute"), minute),
        field(t("US dollars per month"), budget),
        h("label.row", {}, managed, t("Managed: only its digest is kept, in the state")),
        h("footer", {}, button(t("Make it"), async () => {
          const allowed = models.value.split(",").map((each) => each.trim()).filter(Boolean);
          const settings = {
            ...(allowed.length && { models: allowed }),
            ...(minute.value && { limits: { "requests-per-minute": Number(minute.value) } }),
            ...(budget.value && { budget: { "usd-per-month": Number(budget.value) } }),
          };
          close(await post("/keys", { name: name.value, settings, managed: managed.checked }));
        })));
    });
    if (made) await once(made);
  }

  async function rotate(row) {
    const hours = h("input", { type: "number", min: 0, max: 744, value: row.managed ? 24 : 0, disabled: !row.managed });
    const made = await dialog(t("Another key for {name}", { name: row.name }), (close) => [
      field(t("Hours that the old one works on"), hours, t("Managed keys only.")),
      h("footer", {}, button(t("Rotate"), async () => close(await post(`/keys/${segment(row.id)}/rotate`, { overlap: Number(hours.value) * 3600 })))),
    ]);
    if (made) await once(made);
  }

  async function revoke(row) {
    if (!(await sure(t("Whoever holds the key of {name} is refused from now on.", { name: row.name || row.id }), t("Revoke")))) return;
    await del(`/keys/${segment(row.id)}`);
    await load();
  }

  fill(view.actions, button(t("New key"), create));
  fill(view.root, [card(null, list), limits]);
  await load();
  view.every(10, load);
}
