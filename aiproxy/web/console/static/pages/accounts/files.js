// Credential files: bring one or many, see which account each became or why it didn't, take them along, remove them.

import { ask, del, download, get, segment } from "../../api.js";
import { bytes, time } from "../../format.js";
import { badge, button, dialog, fill, h, safely, sure, table, tell } from "../../ui.js";
import { later, t } from "../../words.js";

const AT_ONCE = 20; // files of one upload: those that belong together, as a login and its client's registration, find each other in it

const STATES = { active: ["good", later("in use")], cooling: ["warn", later("rests")], disabled: ["", later("disabled")], error: ["bad", later("refused")] };

export const files = () => dialog(t("Credential files"), (close) => {
  const list = h("div");
  const progress = h("div", { role: "status" });
  const chosen = h("input", { type: "file", accept: ".json,application/json", multiple: true, "aria-label": t("Files to bring"), onchange: safely(bring) });
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search files"), oninput: draw });
  const clean = button(t("Delete what is refused"), deleteRefused, { className: "danger" });
  let found = [];

  function draw() {
    const words = search.value.toLowerCase();
    clean.hidden = !refused().length;
    fill(list, table(
      [
        { title: t("File"), cell: (row) => [h("strong", row.name), row.email && h("div.faint", row.email)] },
        { title: t("Provider"), cell: (row) => row.provider || row.type },
        { title: t("State"), cell: (row) => [state(row), row.status_message && h("div.faint", row.status_message)] },
        { title: t("Token until"), cell: (row) => time(row.expires) },
        { title: t("Size"), number: true, cell: (row) => (row.size === undefined ? "–" : bytes(row.size)) },
        { title: "", cell: (row) => h("div.row", {},
          row.status !== "error" && h("a", { href: `#/accounts/${segment(row.id)}`, onclick: () => close() }, t("Account")),
          button(t("Download"), () => download("/auth-files/download", { name: row.name }, row.name), { className: "plain" }),
          button(t("Delete"), () => remove([row.name]), { className: "plain" })) },
      ],
      found.filter((row) => `${row.name} ${row.provider} ${row.type} ${row.email} ${row.status}`.toLowerCase().includes(words)),
      { empty: t("No credential files yet.") },
    ));
  }

  const refused = () => found.filter((row) => row.status === "error");

  async function load() {
    found = (await get("/auth-files")).files;
    draw();
  }

  async function remove(names) {
    if (!(await sure(t("{name} is gone for good then.", { name: names.join(", ") }), t("Delete")))) return;
    for (const name of names) await del("/auth-files", { name });
    await load();
  }

  async function deleteRefused() {
    await remove(refused().map((row) => row.name));
  }

  async function bring() {
    const wanted = [...chosen.files];
    const bar = h("progress", { max: wanted.length, value: 0, "aria-label": t("Progress") });
    const failed = h("ul");
    fill(progress, [bar, failed]);
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      const some = wanted.slice(from, from + AT_ONCE);
      for (const each of await refusals(some)) failed.append(h("li.bad", `${each.name}: ${each.error}`));
      bar.value += some.length;
    }
    tell(t("Files brought: {count}.", { count: wanted.length - failed.children.length }), failed.children.length ? "bad" : "good");
    chosen.value = "";
    await load();
  }

  safely(load)();
  return [h("p", t("JSON files of aiproxy, CLIProxyAPI or a vendor's own client.")), h("div.row", {}, chosen, h("span.grow"), search, clean), progress, list];
}, { wide: true });

// Which of these are not taken, and why.
async function refusals(some) {
  const form = new FormData();
  for (const file of some) form.append("file", file, file.name);
  try {
    return (await (await ask("POST", "/auth-files", { body: form })).json()).failed || [];
  } catch (error) {
    return some.map(({ name }) => ({ name, error: error.message }));
  }
}

function state(row) {
  const [kind, words] = STATES[row.status] || ["", row.status];
  return badge(t(words), kind);
}
