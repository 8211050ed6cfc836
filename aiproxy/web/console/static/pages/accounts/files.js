// Credential files: bring one or many, take them along, remove them.

import { ask, del, download, get } from "../../api.js";
import { bytes, time } from "../../format.js";
import { button, dialog, fill, h, sure, table, tell } from "../../ui.js";
import { t } from "../../words.js";

export const files = () => dialog(t("Credential files"), () => {
  const list = h("div");
  const progress = h("div", { role: "status" });
  const chosen = h("input", { type: "file", accept: ".json,application/json", multiple: true, "aria-label": t("Files to bring"), onchange: bring });

  async function load() {
    const told = await get("/auth-files");
    fill(list, table(
      [
        { title: t("File"), cell: (row) => row.name },
        { title: t("Provider"), cell: (row) => row.provider || row.type },
        { title: t("Size"), number: true, cell: (row) => (row.size === undefined ? "–" : bytes(row.size)) },
        { title: t("Changed"), cell: (row) => time(row.modtime) },
        { title: "", cell: (row) => h("div.row", {},
          button(t("Download"), () => download("/auth-files/download", { name: row.name }, row.name), { className: "plain" }),
          button(t("Delete"), async () => {
            if (!(await sure(t("{name} is gone for good then.", { name: row.name }), t("Delete")))) return;
            await del("/auth-files", { name: row.name });
            await load();
          }, { className: "danger" })) },
      ],
      told.files || [],
      { empty: t("No credential files yet.") },
    ));
  }

  async function bring() {
    const wanted = [...chosen.files];
    const bar = h("progress", { max: wanted.length, value: 0, "aria-label": t("Progress") });
    const failed = h("ul");
    fill(progress, [bar, failed]);
    for (const file of wanted) {
      try {
        await ask("POST", "/auth-files", { query: { name: file.name }, body: file, headers: { "content-type": "application/json" } });
      } catch (error) {
        failed.append(h("li.bad", `${file.name}: ${error.message}`));
      }
      bar.value += 1;
    }
    tell(t("{count} files brought.", { count: wanted.length - failed.children.length }), failed.children.length ? "bad" : "good");
    chosen.value = "";
    await load();
  }

  load().catch((error) => tell(error.message, "bad"));
  return [h("p", t("JSON files of aiproxy, CLIProxyAPI or a vendor's own client.")), chosen, progress, list];
});
