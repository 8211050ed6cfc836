// How the gateway itself is: what readiness depends on, its state, its store, and the latest changes by hand.

import { get } from "../api.js";
import { bytes, count, duration, time } from "../format.js";
import { badge, card, figure, fill, h, pairs, table } from "../ui.js";
import { said, t, why } from "../words.js";

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
          { title: t("What"), cell: (check) => said("check", check.name) },
          { title: "", cell: (check) => badge(check.ok ? t("well") : t("not well"), check.ok ? "good" : check.vital ? "bad" : "warn") },
          { title: t("How it is"), cell: (check) => check.detail },
        ],
        health.checks,
      )),
      h("div.grid", {},
        card(t("State"), pairs([
          [t("Kind"), state.kind], [t("Place"), state.where], [t("Records waiting"), count(state.queued)], [t("Records lost"), count(state.dropped)],
          [t("Last written"), time(state.written)], [t("Kept for"), t("{days} days, {size} at most", { days: state.retention.days, size: bytes(state.retention.megabytes * 1024 ** 2) })],
          [t("Recovered"), state.recovered], [t("Problem"), state.problem],
        ])),
        store.place && card(t("Store"), pairs([
          [t("Place"), store.place], [t("Mirror's age"), store["mirror-age"] === null ? null : duration(store["mirror-age"])], [t("Changes to send"), count(store.unpushed)],
          [t("Conflicts"), store.conflicts.length > 0 && store.conflicts.map((each) => h("div", {}, each.name, " ", time(each.since)))], [t("Problem"), store.problem],
        ]))),
      card(t("Latest changes by hand"), table(
        [
          { title: t("Time"), cell: (row) => time(row.at ?? row.time) },
          { title: t("Who"), cell: (row) => `${row.by} ${row.address}` },
          { title: t("What"), cell: (row) => row.what },
          { title: t("Outcome"), cell: (row) => (row.outcome === "ok" ? badge(t("done"), "good") : badge(why(row.outcome), "bad")) },
        ],
        audit.changes,
      )),
    ]);
  }
  await load();
  view.every(5, load);
}
