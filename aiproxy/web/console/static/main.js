// The frame around every page: signs in, shows the way, and loads the page that the address names (`#/requests?model=…`).

import * as api from "./api.js";
import { listen } from "./live.js";
import { choose, language, LANGUAGES, later, t } from "./words.js";
import { button, choice, field, fill, h, safely, tell } from "./ui.js";

const PAGES = [
  ["dashboard", later("Dashboard")],
  ["accounts", later("Accounts")],
  ["models", later("Models & routes")],
  ["playground", later("Playground")],
  ["requests", later("Requests")],
  ["usage", later("Usage")],
  ["keys", later("Keys")],
  ["configuration", later("Configuration")],
  ["prompt", later("System prompt")],
  ["logs", later("Logs")],
  ["health", later("Health")],
];

const THEMES = [["", later("System")], ["light", later("Light")], ["dark", later("Dark")]];

let leave = () => {};

// -- how it looks

function dress() {
  const theme = localStorage.getItem("theme") || "";
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.documentElement.lang = language();
}

function looks() {
  const theme = choice(THEMES.map(([key, words]) => [key, t(words)]), localStorage.getItem("theme") || "", {
    "aria-label": t("Theme"),
    onchange: () => {
      localStorage.setItem("theme", theme.value);
      dress();
    },
  });
  const words = choice(LANGUAGES, language(), {
    "aria-label": t("Language"),
    onchange: () => {
      choose(words.value);
      location.reload();
    },
  });
  return [theme, words];
}

// -- coming in

function enter(known) {
  leave();
  onhashchange = null;
  const token = new URLSearchParams(location.hash.slice(1)).get("setup");
  const key = h("input", { type: "password", required: true, minLength: token ? 12 : 1, autocomplete: token ? "new-password" : "current-password" });
  const act = async (event) => {
    event.preventDefault();
    try {
      await (token ? api.setUp(token, key.value) : api.signIn(key.value));
      if (token) location.hash = "#/dashboard";
      frame();
    } catch (error) {
      tell(error.message, "bad");
      key.select();
    }
  };
  const hint = token
    ? t("12 characters or more. It opens this console and the management API from now on; the configuration keeps only its hash.")
    : t("What remote-management.secret-key or MANAGEMENT_PASSWORD holds.");
  const why = known && t("The session has ended: sign in again.");
  fill(document.body, [
    h("main.enter", {},
      h("h1", {}, h("img", { src: "icon.svg", alt: "" }), "aiproxy"),
      why && h("p.warn", why),
      h("form.card", { onsubmit: act },
        field(token ? t("Choose a management key") : t("Management key"), key, hint),
        h("button", { type: "submit" }, token ? t("Set the key") : t("Sign in"))),
      h("div.row", {}, looks())),
  ]);
  key.focus();
}

// -- the frame

function frame() {
  const links = PAGES.map(([name, words]) => h("a", { href: `#/${name}` }, t(words)));
  const room = h("main", { id: "main", tabIndex: -1 });
  const out = button(t("Sign out"), async () => {
    leave(); // what it listens to ends before the session does
    await api.signOut();
    enter(false);
  }, { className: "plain" });
  const away = h("p.away.bad", { role: "status", hidden: true }, t("The gateway doesn't answer. This page goes on by itself when it does."));
  fill(document.body, [
    h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); room.focus(); } }, t("Skip to the page")),
    h("div.frame", {},
      h("nav", { "aria-label": t("Pages") },
        h("div.brand", {}, h("img", { src: "icon.svg", alt: "" }), "aiproxy"),
        links, h("span.grow"), h("div.tools", {}, looks(), out)),
      h("div.page", {}, away, room)),
  ]);
  api.whenReached((there) => (away.hidden = there));
  const show = () => open(room, links);
  onhashchange = show;
  show();
}

async function open(room, links) {
  leave();
  const [, name = "", rest = "", query = ""] = /^#\/(\w*)\/?([^?]*)\??(.*)$/.exec(location.hash) || [];
  const place = Math.max(0, PAGES.findIndex(([page]) => page === name));
  links.forEach((link, number) => (number === place ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
  const [page, words] = PAGES[place];
  document.title = `${t(words)} - aiproxy`;
  const stops = [];
  const gone = new AbortController();
  leave = () => {
    gone.abort();
    document.querySelectorAll("dialog").forEach((box) => box.close());
    stops.forEach((stopIt) => stopIt());
  };
  const content = h("div");
  const actions = h("div.row");
  fill(room, [h("header", {}, h("h1", t(words)), h("span.grow"), actions), content]);
  const view = {
    root: content,
    actions,
    rest: decodeURIComponent(rest),
    query: new URLSearchParams(query),
    signal: gone.signal,
    // Until the page is left: again and again, and whenever an event of one of these kinds comes.
    every: (seconds, act) => {
      const timer = setInterval(() => document.hidden || quietly(act)(), seconds * 1000);
      stops.push(() => clearInterval(timer));
    },
    on: (handlers) => gone.signal.aborted || stops.push(listen(Object.fromEntries(Object.entries(handlers).map(([kind, act]) => [kind, quietly(act)])))),
    leaving: (act) => stops.push(act),
  };
  // What nobody asked for just now; that the gateway doesn't answer stands at the top of the page already.
  const quietly = (act) => safely(async (told) => {
    try {
      await act(told);
    } catch (error) {
      if (!gone.signal.aborted && error.status !== 0) throw error;
    }
  });
  try {
    const { show } = await import(`./pages/${page}.js`);
    if (!gone.signal.aborted) await show(view);
  } catch (error) {
    if (!gone.signal.aborted) fill(content, h("p.bad", { role: "alert" }, error.message));
  }
}

dress();
api.whenSignedOut(() => enter(true));
const session = await api.session().catch((error) => {
  fill(document.body, h("main.enter", {}, h("p.bad", { role: "alert" }, error.message)));
});
if (session) session["signed-in"] && !location.hash.includes("setup=") ? frame() : enter(false);
