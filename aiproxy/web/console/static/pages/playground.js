// A call by any protocol, as a client makes it: what is sent, what comes back byte for byte, and how it reads; and the same of the
// upstreams that are asked for it.

import { asOperator, get, post, segment } from "../api.js";
import { PROTOCOLS } from "../protocols.js";
import { badge, button, card, choice, field, fill, h, pairs, tell } from "../ui.js";
import { t } from "../words.js";

// The client key stays in this tab.
let remembered = { key: "", protocol: "openai-chat", model: "" };

export async function show(view) {
  const protocol = choice(Object.entries(PROTOCOLS).map(([name, { title }]) => [name, title]), remembered.protocol, { onchange: turn });
  const names = h("datalist", { id: "models" });
  const model = h("input", { required: true, value: view.query.get("model") || remembered.model });
  model.setAttribute("list", "models");
  const key = h("input", { type: "password", autocomplete: "off", value: remembered.key, onchange: turn });
  const system = h("textarea", { rows: 2, oninput: turn });
  const words = h("textarea", { rows: 3, value: t("Say hello in five languages."), oninput: turn });
  const temperature = h("input", { type: "number", min: 0, max: 2, step: 0.1, oninput: turn });
  const most = h("input", { type: "number", min: 1, oninput: turn });
  const file = h("input", { type: "file", accept: "image/*", onchange: async () => { picture = file.files.length ? await asData(file.files[0]) : ""; turn(); } });
  let picture = "";
  const stream = h("input", { type: "checkbox", checked: true, onchange: turn });
  const tool = h("input", { type: "checkbox", onchange: turn });
  const body = h("textarea.code", { rows: 14, spellcheck: false });
  const answer = h("div");
  const wire = h("div.sides");
  const send = button(t("Send"), run);
  let going = null;
  let heard = []; // of upstreams, of this call and of others
  let draw = () => {};
  const stop = button(t("Stop"), async () => going?.abort(), { className: "plain", disabled: true });
  model.addEventListener("input", turn);

  function asked() {
    return { model: model.value, system: system.value, words: words.value, picture, temperature: temperature.value, most: most.value, stream: stream.checked, tool: tool.checked };
  }

  function turn() {
    remembered = { key: key.value, protocol: protocol.value, model: model.value };
    body.value = JSON.stringify(PROTOCOLS[protocol.value].body(asked()), null, 2);
  }

  const headers = () => (key.value ? { authorization: `Bearer ${key.value}` } : {});

  async function models() {
    turn();
    const found = Object.keys((await get("/models", {}, view.signal)).models);
    fill(names, found.map((id) => h("option", { value: id })));
    if (!model.value && found.length) {
      model.value = found[0];
      turn();
    }
  }

  async function run() {
    const spoken = PROTOCOLS[protocol.value];
    going = new AbortController();
    stop.disabled = false;
    const text = h("div.answer", { "aria-live": "polite" });
    const raw = h("pre.tall");
    const head = h("div");
    const upstream = h("div");
    const back = h("div");
    fill(answer, [card(t("Answer"), head, text), upstream]);
    fill(wire, [back, card(t("As it came"), raw)]);
    heard = [];
    draw = () => {};
    translated(upstream).catch(() => {}); // the answer tells what is wrong with a body
    const began = performance.now();
    try {
      const told = await fetch(spoken.path(asked()), {
        method: "POST",
        headers: { "content-type": "application/json", ...asOperator(), ...headers() },
        body: body.value,
        signal: going.signal,
      });
      const facts = [[t("Status"), badge(String(told.status), told.ok ? "good" : "bad")]];
      for (const [name, title] of [["x-aiproxy-provider", t("Provider")], ["x-aiproxy-model", t("Model")], ["x-aiproxy-attempts", t("Attempts")], ["x-aiproxy-warnings", t("Warnings")]])
        facts.push([title, told.headers.get(name)]);
      const id = told.headers.get("x-request-id");
      facts.push([t("Record"), id && h("a", { href: `#/requests/${segment(id)}` }, id)]);
      let first = null;
      let ended = 0;
      draw = () => {
        fill(back, heard.filter((each) => each.request_id === id).map(came));
        fill(head, pairs([...facts, [t("First byte"), first && `${Math.round(first - began)} ms`], [t("Total"), `${Math.round((ended || performance.now()) - began)} ms`]]));
      };
      const reader = told.body.pipeThrough(new TextDecoderStream()).getReader();
      let whole = "";
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        first ??= performance.now();
        whole += read.value;
        raw.textContent = whole;
        text.textContent = spoken.read(whole);
        draw();
      }
      ended = performance.now();
      if (!text.textContent && told.ok) text.textContent = t("The answer has no text.");
      draw();
    } catch (error) {
      if (error.name !== "AbortError") tell(error.message, "bad");
    } finally {
      stop.disabled = true;
      going = null;
    }
  }

  // What becomes of this body at the account that would be asked first.
  async function translated(room) {
    const query = new URLSearchParams({ protocol: protocol.value, model: model.value });
    const told = await post(`/route?${query}`, body.value);
    const first = told.stages?.[0]?.tiers[0][0];
    if (!first) return;
    const { lane } = first;
    fill(room, card(t("To the upstream"),
      pairs([[t("Account"), first.account], [t("How"), badge(lane.translated ? t("translated") : t("passed on"), lane.translated ? "warn" : "good")],
        [t("Address"), lane.url], [t("Lost"), lane.losses.join(", ")], [t("Refused"), lane.refusal]]),
      lane.sent && h("pre.tall", JSON.stringify(JSON.parse(lane.sent), null, 2))));
  }

  view.on({ upstream: (told) => { heard.push(told); draw(); } });
  view.leaving(() => going?.abort());
  fill(view.root, [h("div.sides", {},
    card(t("Request"),
      h("div.sides.narrow", {}, field(t("Protocol"), protocol), field(t("Model"), model, t("A suffix asks for thinking: (high), (8192), (none)."))),
      names,
      field(t("Client key"), key, t("One of api-keys; empty where none are asked for. It stays in this tab.")),
      field(t("System prompt"), system),
      field(t("Message"), words),
      h("details", {}, h("summary", t("More")),
        h("div.sides.narrow", {}, field(t("Temperature"), temperature), field(t("Most tokens of the answer"), most), field(t("Picture"), file))),
      h("div.row", {}, check(t("Stream"), stream), check(t("With a tool"), tool), h("span.grow"), stop, send),
      field(t("Body"), body, t("Sent as it stands here."))),
    answer), wire]);
  turn();
  await models();
}

// What an upstream was asked and what it answered, byte for byte.
const came = (told) =>
  card(t("From the upstream"),
    pairs([[t("Account"), told.account], [t("Address"), told.url], [t("Status"), badge(String(told.status), told.status < 300 ? "good" : "bad")]]),
    h("pre.tall", told.answer),
    told.cut && h("p.warn", t("There was more, or it broke off.")),
    h("details", {}, h("summary", t("What it was asked")), h("pre.tall", told.sent)));

// A file as a data: URL, which is how protocols take pictures.
const asData = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

function check(words, box) {
  return h("label.row", {}, box, words);
}
