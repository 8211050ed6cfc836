// The few elements pages are made of. Text goes into the document as text, never as HTML: names of models, notes and log lines
// come from outside.

import { t } from "./words.js";

// h("p.note", {title: "…", onclick: …}, "text", element, [more]) - a tag with its classes, properties and what is inside.
export function h(tag, given = {}, ...inside) {
  const [name, ...classes] = tag.split(".");
  const plain = given === null || typeof given !== "object" || given instanceof Node || Array.isArray(given);
  const element = document.createElement(name);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(plain ? {} : given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  fill(element, plain ? [given, ...inside] : inside);
  return element;
}

// What the mouse is pressed on, and what waits to be drawn around it: a click is of one element, which must be there from press to release.
let pressed = null;
const waiting = new Map();

addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
for (const over of ["pointerup", "pointercancel"]) addEventListener(over, released, true);
addEventListener("blur", released); // of the window: what is released elsewhere isn't told

function released() {
  pressed = null;
  setTimeout(() => { for (const [element, inside] of waiting) fill(element, inside); }); // once the click is over
}

// Puts this inside, in the place of what was there. What had the focus has it again if it is still there: pages are drawn anew while
// people go through them by keyboard.
export function fill(element, inside) {
  if (pressed && element.contains(pressed)) {
    waiting.set(element, inside);
    return element;
  }
  waiting.delete(element);
  const way = wayTo(document.activeElement, element);
  const { selectionStart: from, selectionEnd: to } = document.activeElement;
  element.replaceChildren(...[inside].flat(9).filter((each) => each !== null && each !== undefined && each !== false));
  const again = way.length ? followed(element, way) : null;
  again?.focus({ preventScroll: true });
  if (typeof from === "number") again?.setSelectionRange?.(from, to); // else what is typed next would come after what was selected
  return element;
}

// From an element down to one inside: at each step which child it is, by the key of its row or by its place.
function wayTo(inner, element) {
  const way = [];
  if (element.contains(inner)) {
    for (let at = inner; at !== element; at = at.parentElement)
      way.unshift({ tag: at.tagName, key: at.dataset.key, place: [...at.parentElement.children].indexOf(at) });
  }
  return way;
}

const followed = (element, way) =>
  way.reduce((found, { tag, key, place }) => {
    const child = key === undefined ? found?.children[place] : [...found?.children || []].find((each) => each.dataset.key === key);
    return child?.tagName === tag ? child : null;
  }, element);

export const button = (words, onclick, more = {}) => h("button", { type: "button", ...more, onclick: busy(onclick) }, words);

// What goes wrong is told; what was given up because its page was left is nothing that went wrong.
export const safely = (act) => async (...given) => {
  try {
    await act(...given);
  } catch (error) {
    if (error.name !== "AbortError") tell(error.message, "bad");
  }
};

// Asks, and does something with the answer: where answers overtake one another, with that to the last question alone.
export function newest(ask, act) {
  let asked = 0;
  return async (...given) => {
    const mine = ++asked;
    const told = await ask(...given);
    if (mine === asked) await act(told);
  };
}

// A form that is sent by its button or by Enter; the gateway gets what `act` sends, never the browser's own request.
export const form = (act, ...inside) => {
  const send = busy(act);
  return h("form", { onsubmit: (event) => { event.preventDefault(); send(event); } }, inside);
};

export const submit = (words) => h("button", { type: "submit" }, words);

// A click that takes its time: not to be repeated meanwhile. The button isn't disabled for it: it would
// lose the focus, and a dialog that it opens couldn't give it back.
function busy(act) {
  return async (event) => {
    const pressed = event.currentTarget;
    if (pressed.ariaBusy) return;
    pressed.ariaBusy = "true";
    await safely(act)(event);
    pressed.ariaBusy = null;
  };
}

export const badge = (words, kind = "") => h(`span.badge${kind && `.${kind}`}`, words);

// How full something is, from 0 to 1, with words beside it.
export function meter(share, words) {
  const bar = h("span.bar");
  bar.style.width = `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%`;
  const kind = share < 0.1 ? ".bad" : share < 0.25 ? ".warn" : "";
  return h("span.meter", { role: "img", "aria-label": words }, h(`span.track${kind}`, bar), h("span", words));
}

// columns: {title, cell: row => text or element, number: true for what is aligned by its digits}; `key` is what tells a row from others.
export function table(columns, rows, { empty = t("Nothing here yet."), onrow, key = () => undefined, even = false } = {}) {
  if (!rows.length) return h("p.empty", empty);
  const head = h("tr", {}, columns.map((column) => h(column.number ? "th.number" : "th", { scope: "col" }, column.title)));
  const body = rows.map((row) => {
    const cells = columns.map((column) => h(column.number ? "td.number" : "td", { "data-title": column.title }, h("div", {}, column.cell(row))));
    if (!onrow) return h("tr", { "data-key": key(row) }, cells);
    const open = () => onrow(row);
    const pressed = (event) => {
      if (event.key !== "Enter" || event.target !== event.currentTarget) return;
      event.preventDefault(); // else it is pressed again on what has the focus by then
      open();
    };
    return h("tr.opens", { "data-key": key(row), tabIndex: 0, onclick: open, onkeydown: pressed }, cells);
  });
  return h(even ? "div.table.even" : "div.table", {}, h("table", {}, h("thead", head), h("tbody", body)));
}

let named = 0;

// A labelled field: `field("Name", h("input", …), "what it is for")`.
export function field(label, input, hint) {
  input.id ||= `field-${++named}`;
  const help = hint && h("small", { id: `${input.id}-hint` }, hint);
  if (hint) input.setAttribute("aria-describedby", help.id);
  return h("div.field", {}, h("label", { htmlFor: input.id }, label), input, help);
}

export const choice = (options, value, more = {}) =>
  h("select", more, options.map((option) => {
    const [key, words] = Array.isArray(option) ? option : [option, option];
    return h("option", { value: key, selected: key === value }, words);
  }));

// A dialog that is there until it is closed; `content` is given the way to close it. Resolves with what it was closed with. What had the
// focus before has it again, also if the page under the dialog was drawn anew meanwhile.
export function dialog(title, content, { wide = false } = {}) {
  return new Promise((resolve) => {
    let given;
    const before = document.activeElement;
    const page = before.closest("dialog, main") || document.body;
    const way = wayTo(before, page);
    const back = () => before.isConnected || followed(page, way)?.focus({ preventScroll: true });
    const close = (value) => {
      given = value;
      box.close();
    };
    const id = `dialog-${++named}`;
    const box = h(wide ? "dialog.wide" : "dialog", { "aria-labelledby": id, onclose: () => { document.body.append(...box.querySelectorAll(".told")); box.remove(); back(); resolve(given); } });
    const head = h("header", {}, h("h2", { id }, title),
      h("button.plain", { type: "button", "aria-label": t("Close"), onclick: () => close() }, "×"));
    document.body.append(fill(box, [head, content(close)]));
    box.showModal();
  });
}

export const sure = (question, words) =>
  dialog(t("Are you sure?"), (close) => [
    h("p", question),
    h("footer", {}, button(t("Cancel"), () => close(false), { className: "plain" }), button(words, () => close(true), { className: "danger" })),
  ]);

// A line at the bottom, read out by screen readers too: in the dialog that is open, as nothing else is seen or heard then.
export function tell(words, kind = "good") {
  const told = h(`div.told.${kind}`, { role: kind === "bad" ? "alert" : "status" }, words);
  ([...document.querySelectorAll("dialog[open]")].at(-1) || document.body).append(told);
  setTimeout(() => told.remove(), kind === "bad" ? 9000 : 4000);
}

export const copied = (text, words = t("Copy")) =>
  button(words, async () => {
    await navigator.clipboard.writeText(text);
    tell(t("Copied."));
  }, { className: "plain" });

export const card = (title, ...inside) => h("section.card", {}, title && h("h2", title), inside);

export const figure = (title, value, note) => h("div.figure", {}, h("span", title), h("strong", value), note && h("small", note));

export const pairs = (rows) =>
  h("dl", {}, rows.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "").map(([name, value]) => [h("dt", name), h("dd", value)]));
