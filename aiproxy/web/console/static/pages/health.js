// How the gateway itself is: what readiness depends on, its state, its store, and the latest changes by hand.

import { get } from "../api.js";
import { count, duration, time } from "../format.js";
import { badge, card, figure, fill, h, pairs, table } from "../ui.js";
import { t } from "../words.js";

export async function show(view) {
  async function load() {
    const [health, state, store, audit] = await Promise.all(["/health", "/state", "/store", "/audit"].map((path) => get(path, {}, view.signal)));
    fill(view.root, [
      h("div.figures", {},
        figure(t("Ready"), health.ready ? badge(t("yes"), "good") : badge(t("no"), "bad")),
        figure(t("Version"), health.version, health.node),
        figure(t("Up for"), duration(health.uptime)),
        figure(t("Calls under way"), count(health["under-way"])),
        figure(t("Calls waiting"), count(health.waiting)),
        figure(t("Accounts"), count(health.accounts))),
      card(t("Checks"), table(
        [
          { title: t("What"), cell: (check) => check.name },
          { title: "", cell: (check) => badge(check.ok ? t("well") : t("not well"), check.ok ? "good" : check.vital ? "bad" : "warn") },
          { title: t("How it is"), cell: (check) => check.detail },
        ],
        health.checks,
      )),
      h("div.grid", {},
        card(t("State"), pairs(Object.entries(state).map(([name, value]) => [name, plain(value)]))),
        store.place && card(t("Store"), pairs(Object.entries(store).map(([name, value]) => [name, plain(value)])))),
      card(t("Latest changes by hand"), table(
        [
          { title: t("Time"), cell: (row) => time(row.at ?? row.time) },
          { title: t("Who"), cell: (row) => `${row.by} ${row.address}` },
          { title: t("What"), cell: (row) => row.what },
          { title: t("Outcome"), cell: (row) => badge(row.outcome, row.outcome === "ok" ? "good" : "bad") },
        ],
        audit.changes,
      )),
    ]);
  }
  await load();
  view.every(5, load);
}

const plain = (value) => (value !== null && typeof value === "object" ? h("code", JSON.stringify(value)) : value === null ? "–" : String(value));
