// One thing done to many accounts, a few at a time, with its progress; no more of them once the dialog is closed.

import { badge, dialog, h } from "../../ui.js";
import { said, t } from "../../words.js";

const AT_ONCE = 4;

// `act(row)` gives what the API says: whether an account works, or anything else for done.
export async function many(title, rows, act) {
  const left = [...rows];
  await dialog(title, () => {
    const bar = h("progress", { max: rows.length, value: 0, "aria-label": t("Progress") });
    const told = h("ul");
    const next = async () => {
      for (let row = left.shift(); row; row = left.shift()) {
        const came = await act(row).catch((error) => ({ works: false, error: error.message }));
        bar.value += 1;
        told.append(h("li", {}, row.account, ": ", result(came)));
      }
    };
    for (let number = 0; number < AT_ONCE; number += 1) next();
    return [bar, told];
  });
  left.length = 0;
}

function result({ works, asked, error, code }) {
  if (works === undefined) return badge(t("done"), "good");
  if (works) return badge(t("works"), "good");
  return asked === false ? badge(t("cannot be asked")) : h("span.bad", error ? said("error", code, error) : code);
}
