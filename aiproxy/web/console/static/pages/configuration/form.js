// Every setting with the value in effect and the layer that set it; single values can be changed here, the others in the text.

import { get } from "../../api.js";
import { badge, button, choice, fill, h } from "../../ui.js";
import { t } from "../../words.js";

const OPENED = 300; // settings that are shown without being asked for; a thousand accounts have tens of thousands

// `set(path, value)` keeps one; null takes it out, so that the layer below holds again.
export async function settings(view, set) {
  const [{ values }, schema] = await Promise.all([get("/config/values", {}, view.signal), get("/config/schema", {}, view.signal)]);
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search settings"), oninput: draw });
  const changed = h("input", { type: "checkbox", onchange: draw });
  const list = h("div.settings");
  const rows = values.map((each) => ({ ...each, about: described(schema, each.path) }));

  function draw() {
    const words = search.value.toLowerCase();
    const shown = rows.filter((row) => (!changed.checked || row.changed) && `${row.path} ${row.about.description}`.toLowerCase().includes(words));
    const groups = Map.groupBy(shown, (row) => row.path.split(/[.[]/)[0]);
    fill(list, [...groups].map(([name, found]) => group(name, found, shown.length <= OPENED && (words !== "" || changed.checked))));
  }

  function group(name, found, open) {
    const inside = h("div");
    const opened = h("details", { open, ontoggle: () => opened.open && !inside.firstChild && fill(inside, found.map((row) => one(row, set))) },
      h("summary", {}, h("code", name), " ", badge(String(found.length))), inside);
    return opened;
  }

  draw();
  return [h("div.row", {}, search, h("label.row", {}, changed, t("Only what was set"))), list];
}

function one(row, set) {
  const input = control(row);
  const [, line] = /:(\d+):\d+$/.exec(row.origin) || [];
  const from = line ? t("Line {line}", { line }) : row.origin;
  const act = async (value) => {
    await set(row.path, value);
  };
  return h("div.setting", {},
    h("div", {}, h("code", row.path), " ", row.changed && badge(from, "good")),
    row.about.description && h("small", row.about.description),
    h("div.row", {},
      input ? [input, button(t("Set"), () => act(read(input, row)), { className: "plain", "aria-label": t("Set {path}", { path: row.path }) })] : h("code", JSON.stringify(row.value)),
      line && input && button(t("Take out"), () => act(null), { className: "plain", "aria-label": t("Take {path} out", { path: row.path }) })));
}

function control({ path, value, about }) {
  const more = { "aria-label": path };
  const types = about.anyOf || [about];
  const one = types.find((each) => each.enum || each.type === "boolean" || each.type === "integer" || each.type === "number" || (each.type === "string" && !each.pattern));
  if (!one || (value !== null && typeof value === "object") || String(value).includes("[secret]")) return null;
  if (one.enum) return choice(one.enum.map(String), String(value), more);
  if (one.type === "boolean") return h("input", { type: "checkbox", checked: value === true, ...more });
  if (one.type === "string") return h("input", { value: value ?? "", ...more });
  return h("input", { type: "number", step: one.type === "integer" ? 1 : "any", min: one.minimum, max: one.maximum, value: value ?? "", ...more });
}

const read = (input, row) => (input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value);

// What the schema says of a path such as `api-keys[0].limits.concurrent`.
function described(schema, path) {
  const follow = (node) => {
    const options = node?.anyOf || (node ? [node] : []);
    const found = options.find((each) => each.$ref || each.properties || each.items || each.additionalProperties);
    return found?.$ref ? { ...schema.$defs[found.$ref.split("/").pop()], description: node.description } : found || node;
  };
  let node = schema;
  for (const step of path.match(/[^.[\]]+|\[\d+\]/g) || []) {
    node = follow(node);
    node = step.startsWith("[") ? node?.items : node?.properties?.[step] || node?.additionalProperties;
    if (!node || typeof node !== "object") return { description: "" };
  }
  return { description: "", ...node };
}
