// The configuration: its text with what is wrong at its line, a form beside it that changes the text, and what a change would do before
// it is saved. Secrets leave the gateway as names of their own, and come back as them.

import { ask, get, post } from "../api.js";
import { badge, button, card, dialog, fill, h, safely, sure, tell } from "../ui.js";
import { language, said, t } from "../words.js";
import { settings } from "./configuration/form.js";
import { difference, history } from "./configuration/history.js";

// A text that was not saved when the page was left, or the session ended; it waits here until the tab is closed.
let draft = null;

const WAITS = 400; // milliseconds without a key pressed, before the text is looked at

export async function show(view) {
  const text = h("textarea.code.editor", { spellcheck: false, "aria-label": t("The text of the configuration"), wrap: "off", readOnly: true, oninput: typed, onscroll: align });
  const gutter = h("pre.gutter", { "aria-hidden": "true" });
  const found = h("div", { role: "status" });
  const form = settings(await inLanguage(await get("/config/schema", {}, view.signal)), change);
  const save = button(t("Look at the change, and save"), keep, { disabled: true });
  const undo = button(t("Undo"), async () => { text.value = kept; await look(); }, { className: "plain", disabled: true });
  let kept = "";
  let version = "";
  let values = [];
  let timer = 0;
  let changing = Promise.resolve();

  function typed() {
    clearTimeout(timer);
    timer = setTimeout(safely(look), WAITS);
  }

  function align() {
    gutter.scrollTop = text.scrollTop;
  }

  // What it says is known sooner than what is wrong with it.
  const look = () => Promise.all([read(), judge()]);

  async function read() {
    const looked = text.value;
    const { data } = await post("/config/edit", { text: looked });
    if (looked === text.value) form.show(data, values);
  }

  async function judge() {
    const looked = text.value;
    const told = await post("/config/validate", looked);
    if (looked !== text.value) return;
    draw(told);
    form.blame(told.findings);
    undo.disabled = looked === kept;
    save.disabled = looked === kept || !told.valid;
  }

  function draw({ valid, findings }) {
    const marks = new Map(findings.map((each) => [each.line, each.severity]));
    fill(gutter, text.value.split("\n").map((_, place) => {
      const kind = marks.get(place + 1);
      return h(`span${kind ? `.${kind}` : ""}`, {}, `${kind ? "●" : " "}${String(place + 1).padStart(4)}\n`);
    }));
    align();
    fill(found, [
      h("p", {}, badge(valid ? t("valid") : t("not valid"), valid ? "good" : "bad")),
      findings.length > 0 && h("ul.findings", findings.map((each) => h("li", {},
        h("button.plain", { type: "button", onclick: () => go(each.line) }, t("Line {line}", { line: each.line })), " ",
        badge(each.severity === "error" ? t("error") : t("warning"), each.severity === "error" ? "bad" : "warn"), " ",
        each.path && h("code", each.path), " ", said("finding", each.code, each.message, each), " ", each.suggestion && h("em", each.suggestion)))),
    ]);
  }

  function go(line) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    text.scrollTop = Math.max(0, (line - 5) * (text.scrollHeight / lines.length));
  }

  // `saved` is what we have just saved: whoever typed on meanwhile goes on from there. What is somebody else's is no ground for it, and saving says so.
  async function load(saved) {
    const known = saved ?? text.value;
    const [answer, effective] = await Promise.all([ask("GET", "/config.yaml", { signal: view.signal }).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    }), get("/config/values", {}, view.signal)]);
    const typedOn = text.value !== known;
    const now = answer ? answer.headers.get("etag") : "";
    if (saved === undefined && !text.readOnly && (typedOn || now === version)) return;
    values = effective.values;
    kept = answer ? await answer.text() : "";
    version = now;
    if (draft) ({ kept, version } = draft);
    if (!typedOn) text.value = draft ? draft.text : kept;
    draft = null;
    text.readOnly = false;
    await look();
  }

  // What the form asks for: one change after the other.
  function change(asked) {
    const changed = changing.catch(() => {}).then(async () => {
      const before = text.value;
      const told = await post("/config/edit", { text: before, ...asked });
      if (text.value !== before) throw new Error(t("The text was changed meanwhile: change the setting again."));
      text.value = told.text;
      form.show(told.data, values);
      await judge();
    });
    changing = changed;
    return changed;
  }

  const free = async () => text.value === kept || sure(t("The text beside has changes that are not saved. They are lost."), t("Go on"));

  async function keep() {
    const told = await post("/config/diff", text.value);
    const yes = await dialog(t("What the change does"), (close) => [
      told.clients.length > 0
        ? [h("h3", t("For clients")), h("ul", told.clients.map((each) => h("li", {}, badge(each.about), " ", h("strong", each.what), " ", each.words)))]
        : h("p", t("Clients notice nothing.")),
      h("h3", t("In the text")),
      difference(told.lines),
      h("footer", {}, button(t("Cancel"), () => close(false), { className: "plain" }), button(t("Save"), () => close(true))),
    ]);
    if (!yes) return;
    const saved = text.value;
    await ask("PUT", "/config.yaml", { body: saved, headers: { "content-type": "application/yaml", ...(version && { "if-match": version }) } });
    await load(saved);
    tell(t("Saved; it is in effect."));
  }

  view.leaving(() => { draft = text.value === kept ? null : { text: text.value, kept, version }; });
  const past = button(t("History"), async () => (await free()) && (await history(version)) && load(), { className: "plain" });
  fill(view.actions, [past, undo, save]);
  fill(view.root, h("div.sides", {},
    card(t("Text"), h("div.edit", {}, gutter, text), found),
    card(t("Settings"), form.root)));
  await load();
  const follow = () => text.value === kept && load();
  view.on({ opened: follow, configuration: ({ problem }) => (problem ? tell(problem, "bad") : follow()) });
}

// The schema with what it says of settings in the language of the page; what stands in brackets at its end are limits and units.
async function inLanguage(schema) {
  if (language() === "en") return schema;
  const { LIMITS, SETTINGS } = await import("../chinese_settings.js");
  const bounds = new RegExp(Object.keys(LIMITS).join("|"), "g");
  const told = (words) => words.replace(/^(.*?)( \([^()]*\))?$/s, (_, about, limits = "") => (SETTINGS[about] || about) + limits.replace(bounds, (each) => LIMITS[each]));
  return JSON.parse(JSON.stringify(schema), (key, value) => (key === "description" && typeof value === "string" ? told(value) : value));
}
