// Small charts in SVG: what was, over time. Every chart has its figures as a title for each column, and a label for all of it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 140;

function s(name, attributes, ...inside) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

// rows: {label, values: number[]}, one for each of `kinds` ([words, colour]), drawn one upon the other.
export function columns(rows, kinds, label, shown = String) {
  const total = (row) => row.values.reduce((sum, value) => sum + value, 0);
  const most = Math.max(1e-9, ...rows.map(total));
  const step = WIDTH / Math.max(1, rows.length);
  const bars = rows.map((row, place) => {
    let top = HEIGHT;
    const parts = kinds.map(([, colour], number) => {
      const height = (row.values[number] / most) * (HEIGHT - 4);
      top -= height;
      return s("rect", { x: place * step + step * 0.1, y: top, width: step * 0.8, height, class: colour });
    });
    const told = kinds.map(([words], number) => `${words}: ${shown(row.values[number])}`).join(", ");
    return s("g", {}, s("title", {}, `${row.label} - ${told}`), s("rect", { x: place * step, y: 0, width: step, height: HEIGHT, class: "hover" }), ...parts);
  });
  const drawn = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, preserveAspectRatio: "none", class: "chart" }, ...bars);
  const figure = document.createElement("figure");
  const legend = document.createElement("figcaption");
  legend.append(...kinds.map(([words, colour]) => span(`legend ${colour}`, words)));
  const ends = span("ends", "");
  if (rows.length) ends.append(span("", rows[0].label), span("", rows[rows.length - 1].label));
  figure.append(span("scale", shown(most < 1e-6 ? 0 : most)), drawn, ends, legend);
  return figure;
}

const span = (className, textContent) => Object.assign(document.createElement("span"), { className, textContent });

// One row for each hour or day from `since` (seconds since the epoch) until now, those of nothing too; `found` by what the API calls them.
export function filled(found, unit, since, values) {
  const step = unit === "hour" ? 3600 : 86400;
  const known = new Map(found.map((row) => [row[unit], row]));
  const rows = [];
  for (let moment = Math.floor(since / step) * step; moment * 1000 <= Date.now(); moment += step) {
    const iso = new Date(moment * 1000).toISOString();
    const row = known.get(unit === "hour" ? `${iso.slice(0, 13)}:00Z` : iso.slice(0, 10));
    const then = new Date(moment * 1000);
    const label = unit === "hour" ? `${String(then.getHours()).padStart(2, "0")}:00` : iso.slice(0, 10);
    rows.push({ label, values: row ? values(row) : values(null) });
  }
  return rows;
}
