// The configuration as a form, drawn from its schema by one function that knows mappings, lists and single values. What is changed in it
// is changed in the text beside: comments and order stay, and nothing is kept before it was looked at. Of a secret there is only the
// name that stands for it; what is typed takes its place.

import { badge, button, choice, field, fill, h, safely } from "../../ui.js";
import { later, said, t } from "../../words.js";

const NONE = new Map();

// `change({set: {path: value}})` sets, null takes out; `change({move: {path: place}})` moves a list's entry.
export function settings(schema, change) {
  const unfolded = new Set(); // by path
  const begun = new Map(); // by the path of a list or mapping: the key of an entry that is there as soon as something is in it
  const search = h("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search settings"), oninput: () => draw() });
  const only = h("input", { type: "checkbox", onchange: () => draw() });
  const room = h("div.settings", { onfocusout: () => late && draw() });
  let data; // not known yet
  let effective = NONE;
  let found = NONE;
  let late = false;

  // `now` is what the text says, `values` are those in effect.
  function show(now, values) {
    data = now;
    effective = new Map(values.map((each) => [each.path, each]));
    draw();
  }

  function blame(findings) {
    found = Map.groupBy(findings.filter((each) => each.path), (each) => each.path);
    draw();
  }

  function draw() {
    const typing = document.activeElement;
    late = room.contains(typing) && typing.dataset.was !== undefined && typing.value !== typing.dataset.was;
    if (late || data === undefined) return; // what is being typed is not drawn over
    fill(room, data === null ? h("p.empty", t("The text can't be read as it stands: mend it there first.")) : members(schema, "", data));
  }

  // -- what may stand somewhere: its first form, and the key that its plain form fills

  function formsOf(about) {
    const forms = (about.anyOf || [about]).map((each) => (each.$ref ? schema.$defs[each.$ref.split("/").pop()] : each));
    return [forms[0], forms.find((each) => each.title)?.title];
  }

  function node(about, path, name, value, entry) {
    const [form, plain] = formsOf(about);
    if (form.properties) return folded(path, name, about, !entry && value !== undefined ? t("set") : "", () => members(form, path, whole(value, plain)));
    if (form.items) {
      const list = Array.isArray(value) ? value : [];
      return folded(path, name, about, list.length || "", () => entries(form.items, path, list.map((each, place) => [place, each]), list.length));
    }
    if (form.additionalProperties) {
      const pairs = Object.entries(whole(value));
      return folded(path, name, about, pairs.length || "", () => entries(form.additionalProperties, path, pairs));
    }
    return single(about, form, path, name, value, entry);
  }

  const members = (form, path, value) =>
    Object.entries(form.properties)
      .filter(([key, about]) => wanted(about, join(path, key), value[key]))
      .map(([key, about]) => node(about, join(path, key), key, value[key]));

  // -- what has others inside

  function folded(path, name, about, note, inside) {
    const room = h("div.inside");
    const open = unfolded.has(path) || (search.value !== "" && !/\[[^\]]*\]$/.test(path));
    const box = h("details", { open, ontoggle: () => {
      if (box.open) unfolded.add(path);
      else unfolded.delete(path);
      if (box.open && !room.firstChild) fill(room, inside());
    } }, h("summary", {}, h("code", name), " ", note && badge(String(note)), wrong(path), about.description && h("small", about.description)), room);
    if (open) fill(room, inside());
    return box;
  }

  // The entries of a mapping, or of a list, whose `next` is the place of one more.
  function entries(about, path, pairs, next) {
    const draft = begun.get(path);
    if (draft !== undefined && (next === undefined ? pairs.some(([key]) => key === draft) : draft !== next)) begun.delete(path);
    const drafted = begun.has(path) ? [[draft, undefined]] : [];
    const key = next === undefined && h("input.grow", { "aria-label": t("A new name in {path}", { path }) });
    const add = async () => {
      const name = key ? key.value.trim() : next;
      if (name === "") return key.focus();
      begun.set(path, name);
      unfolded.add(join(path, name));
      draw();
      entryAt(join(path, name))?.querySelector("input, select")?.focus();
    };
    return [
      [...pairs, ...drafted].map(([name, value]) => one(about, path, name, value, next)),
      h("div.row", {}, key, button(t("Add"), add, { className: "plain", "aria-label": t("Add to {path}", { path }) })),
    ];
  }

  function one(about, path, name, value, next) {
    const at = join(path, name);
    const tool = (sign, words, act) => button(sign, act, { className: "plain", "aria-label": words });
    const to = (place, sign) => async () => {
      await change({ move: { [at]: place } });
      swap(at, join(path, place));
      draw();
      const tools = [...entryAt(join(path, place)).querySelectorAll(":scope > .tools button")];
      (tools.find((each) => each.textContent === sign) || tools[0]).focus();
    };
    const out = async () => {
      if (value !== undefined) await change({ set: { [at]: null } });
      begun.delete(path);
      draw();
      room.querySelector(`[aria-label="${CSS.escape(t("Add to {path}", { path }))}"]`)?.focus();
    };
    return h("div.entry", { "data-key": at },
      node(about, at, next === undefined ? name : title(about, value) || String(name + 1), value, true),
      h("div.tools", {},
        value !== undefined && name > 0 && tool("↑", t("Move {path} up", { path: at }), to(name - 1, "↑")),
        value !== undefined && name < next - 1 && tool("↓", t("Move {path} down", { path: at }), to(name + 1, "↓")),
        tool("×", t("Take {path} out", { path: at }), out)));
  }

  const entryAt = (at) => [...room.querySelectorAll(".entry")].find((each) => each.dataset.key === at);

  // What is unfolded of two entries that changed places.
  function swap(one, other) {
    const within = (path, at) => path === at || path.startsWith(`${at}.`) || path.startsWith(`${at}[`);
    const there = [...unfolded];
    unfolded.clear();
    for (const path of there)
      unfolded.add(within(path, one) ? other + path.slice(one.length) : within(path, other) ? one + path.slice(other.length) : path);
  }

  // What an entry is known by: the first of its plain values, but no secret.
  function title(about, value) {
    const [form, plain] = formsOf(about);
    const given = whole(value, plain);
    return Object.entries(form.properties || {})
      .filter(([key, each]) => !formsOf(each)[0].writeOnly && ["string", "number"].includes(typeof given[key]))
      .map(([key]) => String(given[key]))[0];
  }

  // -- single values

  function single(about, form, path, name, value, entry) {
    const given = effective.get(path);
    const input = control(form, value, given ? given.value : about.default, path);
    input.dataset.was = input.value;
    input.addEventListener("change", safely(async () => {
      const said = input.value === "" ? null : read(form, input.value);
      if (said !== null || (value !== undefined && !form.writeOnly)) await change({ set: { [path]: said } });
    }));
    const elsewhere = given?.changed && !/:\d+:\d+$/.test(given.origin);
    return h("div.setting", {},
      field([h("code", name), elsewhere && [" ", badge(given.origin, "warn")]], h("div.row", {}, input,
        !entry && value !== undefined && button("×", () => change({ set: { [path]: null } }), { className: "plain", "aria-label": t("Take {path} out", { path }) })),
      about.description),
      wrong(path));
  }

  const wrong = (path) => (found.get(path) || []).map((each) => h(each.severity === "error" ? "p.bad" : "p.warn", said("finding", each.code, each.message, each)));

  // -- what is looked for

  function wanted(about, path, value) {
    return (!only.checked || value !== undefined || [...effective.values()].some((each) => each.changed && each.path.startsWith(path)))
      && (!search.value || speaks(about, path, search.value.toLowerCase()));
  }

  function speaks(about, path, words) {
    if (`${path} ${about.description || ""}`.toLowerCase().includes(words)) return true;
    const [form] = formsOf(about);
    const inner = form.items || form.additionalProperties;
    const members = Object.entries((inner ? formsOf(inner)[0] : form).properties || {});
    return members.some(([key, each]) => speaks(each, join(path, key), words));
  }

  return { root: [h("div.row", {}, search, h("label.row", {}, only, t("Only what was set"))), room], show, blame };
}

// A mapping, whichever way it is written.
function whole(value, plain) {
  if (value !== null && typeof value === "object") return value;
  return plain && value !== undefined ? { [plain]: value } : {};
}

const join = (path, key) => {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[^.[\]"]*[^.[\]"\d][^.[\]"]*$/.test(key)) return `${path}["${key.replace(/["\\]/g, "\\$&")}"]`;
  return path ? `${path}.${key}` : key;
};

const WORDS = { true: later("yes"), false: later("no") };

function control(form, value, otherwise, path) {
  const more = { "aria-label": path };
  if (form.writeOnly) {
    const written = typeof value === "string" && !value.includes("${") ? t("set; typing here replaces it") : value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return h("input.grow", { type: "password", autocomplete: "new-password", placeholder: written, ...more });
  }
  const options = form.enum?.map(String) || (form.type === "boolean" ? ["true", "false"] : null);
  if (options && (value === undefined || value === null || options.includes(String(value)))) {
    const words = (each) => (form.enum ? each : t(WORDS[each]));
    return choice([["", `(${words(String(otherwise ?? (form.enum ? "–" : false)))})`], ...options.map((each) => [each, words(each)])], String(value ?? ""), more);
  }
  const text = typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
  const empty = otherwise === undefined || otherwise === null || typeof otherwise === "object" ? "" : String(otherwise);
  if (text.includes("\n")) return h("textarea.grow", { rows: 4, value: text, ...more });
  return h("input.grow", { value: text, placeholder: empty, spellcheck: false, autocomplete: "off", ...more });
}

function read(form, text) {
  if (form.enum || form.type === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // `${NAME}`, `1h30m`
  }
}
