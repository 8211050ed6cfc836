// Logging an account in: pick the provider and the way, then whatever it waits for, until it is done or failed.

import { del, get, post, segment } from "../../api.js";
import { badge, button, choice, copied, dialog, field, fill, form, h, safely, submit } from "../../ui.js";
import { later, said, t } from "../../words.js";

const LOOKS_EVERY = 1000;

const OPTIONS = {
  project: [later("Project"), later("Google's: an id, several with commas, or ALL. Empty finds one.")],
  region: [later("Region"), later("AWS's, for Kiro.")],
  port: [later("Port"), later("Where the browser comes back to on the gateway's machine; empty is the vendor's own.")],
  start_url: [later("Start URL"), later("AWS's, for Kiro with an organisation.")],
};

// Resolves with the new account's name, or with nothing.
export const logIn = () => dialog(t("Log an account in"), (close) => {
  const room = h("div");
  safely(ask)(room, close);
  return room;
});

async function ask(room, close) {
  const { providers } = await get("/logins");
  const provider = choice(providers.map((each) => each.provider), providers[0].provider, { onchange: turn });
  const way = choice([], "");
  const inputs = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, h("input")]));
  const closed = h("p.warn");
  function turn() {
    const chosen = providers.find((each) => each.provider === provider.value);
    fill(way, chosen.ways.map((name) => h("option", { value: name }, name)));
    fill(closed, chosen.closed ? said("closed", chosen.provider, chosen.closed) : null);
    closed.hidden = !chosen.closed;
  }
  turn();
  fill(room, form(async () => {
    const options = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]).filter(([, value]) => value));
    if (options.port) options.port = Number(options.port);
    follow(room, close, await post("/logins", { provider: provider.value, way: way.value, ...options }));
  },
    field(t("Provider"), provider),
    closed,
    field(t("Way"), way, t("browser: a page sends you back here, or you paste where it ended. device: you enter a code on another page.")),
    h("details", {}, h("summary", t("More")), Object.entries(OPTIONS).map(([name, [title, hint]]) => field(t(title), inputs[name], t(hint)))),
    h("footer", {}, submit(t("Begin"))),
  ));
}

function follow(room, close, standing) {
  const path = `/logins/${segment(standing.id)}`;
  const timer = setInterval(look, LOOKS_EVERY);
  const box = room.closest("dialog");
  let shown = "";
  box.addEventListener("close", () => {
    clearInterval(timer);
    if (!standing.ended) del(path).catch(() => {});
  });

  async function look() {
    standing = await get(path).catch((error) => ({ ...standing, ended: true, stage: "failed", problem: error.message }));
    draw();
  }

  function draw() {
    if (standing.ended) clearInterval(timer);
    const now = JSON.stringify(standing);
    if (now === shown) return;
    shown = now;
    const address = h("input", { placeholder: "http://127.0.0.1:…/callback?code=…" });
    const line = h("input", {});
    const bring = (to, body) => async () => {
      standing = await post(`${path}/${to}`, body());
      draw();
    };
    fill(room, [
      h("p", {}, badge(standing.stage, { done: "good", failed: "bad" }[standing.stage] || "warn"), " ", standing.provider),
      standing.words.length > 0 && h("ul", standing.words.map((words) => h("li", words))),
      !standing.ended && /^https?:/.test(standing.page) && h("p", {}, h("a", { href: standing.page, target: "_blank", rel: "noreferrer" }, t("Open the vendor's page")), " ", copied(standing.page)),
      !standing.ended && standing.code && h("p", {}, t("Enter this code there:"), " ", h("strong.mono", standing.code), " ", copied(standing.code)),
      !standing.ended && standing.takes_callback && [
        field(t("Where the browser ended"), address, t("Only where this page doesn't go on by itself: paste the whole address.")),
        button(t("Bring it"), bring("callback", () => ({ address: address.value.trim() }))),
      ],
      !standing.ended && standing.prompt && [field(standing.prompt, line), button(t("Bring it"), bring("enter", () => ({ line: line.value.trim() })))],
      standing.problem && h("p.bad", { role: "alert" }, standing.problem),
      standing.account && h("p.good", t("Logged in: {account}", { account: standing.account })),
      h("footer", {}, standing.ended ? button(t("Close"), () => close(standing.account)) : button(t("Cancel"), () => close(), { className: "plain" })),
    ]);
  }

  draw();
}
