// The operator's own system prompt: its words, whether they follow the client's or stand in their place, and words to replace.

import { get, put } from "../api.js";
import { button, card, choice, field, fill, h, tell } from "../ui.js";
import { t } from "../words.js";

export async function show(view) {
  const kept = await get("/system-prompt", {}, view.signal);
  const text = h("textarea", { rows: 12, value: kept.text, disabled: Boolean(kept.file) });
  const mode = choice([["append", t("after the client's own")], ["overwrite", t("instead of the client's own")]], kept.mode);
  const list = h("div");
  let replacements = kept.replacements.map((each) => ({ ...each }));

  function draw() {
    fill(list, replacements.map((each, place) => h("div.row", {},
      h("input.grow", { value: each.old, "aria-label": t("Words to replace"), onchange: (event) => (each.old = event.target.value) }),
      "→",
      h("input.grow", { value: each.new, "aria-label": t("What replaces them"), onchange: (event) => (each.new = event.target.value) }),
      button(t("Take out"), async () => { replacements.splice(place, 1); draw(); }, { className: "plain" }))));
  }

  async function save() {
    replacements = replacements.filter((each) => each.old);
    await put("/system-prompt", { text: text.value, mode: mode.value, replacements });
    tell(t("Saved; it is in effect."));
  }

  draw();
  fill(view.actions, button(t("Save"), save));
  fill(view.root, [
    card(null,
      kept.file && h("p.warn", t("The prompt stands in the file {file}, which is read again when it changes.", { file: kept.file })),
      field(t("System prompt"), text, t("Clients get it in every call that has a place for one; empty changes nothing.")),
      field(t("Where it stands"), mode)),
    card(t("Words to replace"), h("p.faint", t("In the system prompt, the client's too.")), list,
      button(t("Add"), async () => { replacements.push({ old: "", new: "" }); draw(); }, { className: "plain" })),
  ]);
}
