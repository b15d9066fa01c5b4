"use strict";
/* Puts the parts together when the page is there. */

function paletteOf(data) {
  const gamma = new Uint8ClampedArray(1024);
  for (let i = 0; i < 1024; i += 1) {
    const light = i / 1023;
    gamma[i] = Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  }
  const maps = Object.fromEntries(Object.entries(data.maps).map(([name, text]) => [name, bytesOf(text)]));
  return { maps, gamma, hues: floatsOf(data.hues), cyclic: data.cyclic };
}

function startPictures(data) {
  const palette = paletteOf(data);
  const [rasters, views, contrasts, groups, viewers] = Array.from({ length: 5 }, () => new Map());
  const once = (table, key, make) => table.get(key) || (table.set(key, make()), table.get(key));
  for (const figure of document.querySelectorAll("figure[data-layer]")) {
    const name = figure.dataset.layer;
    const layer = data.layers[name];
    const raster = once(rasters, name, () => new Raster(layer, palette));
    const view = once(views, figure.dataset.link || layer.link, () => new Shared({ name: figure.dataset.link || "", zoom: 1, middle: null, cursor: null, source: null }));
    const key = layer.contrast.shared || name;
    const contrast = once(contrasts, key, () => new Shared({ ...layer.contrast }));
    once(groups, key, () => new Set()).add(raster);
    const viewer = new Viewer(figure, raster, view, contrast);
    viewers.set(`${name} ${view.name}`, viewer);
    for (const wheel of figure.querySelectorAll(".wheel")) new Wheel(wheel, viewer, palette);
    startButtons(figure, viewer);
  }
  for (const element of document.querySelectorAll("[data-levels]")) {
    const key = element.dataset.levels;
    if (groups.has(key)) new Levels(element, [...groups.get(key)], contrasts.get(key), palette);
  }
  return viewers;
}

function startButtons(figure, viewer) {
  const middle = () => [viewer.canvas.clientWidth / 2, viewer.canvas.clientHeight / 2];
  const acts = {
    closer: () => viewer.zoomAt(1.6, ...middle()),
    farther: () => viewer.zoomAt(1 / 1.6, ...middle()),
    reset: () => viewer.reset(),
    save: () => save(viewer),
  };
  for (const button of figure.querySelectorAll("button[data-act]")) {
    button.addEventListener("click", acts[button.dataset.act]);
  }
}

function save(viewer) {
  viewer.canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${viewer.figure.dataset.layer}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

function startCopying() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      const done = await copied(source);
      button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 1800);
    });
  }
}

/* Pages from a disk may be refused the clipboard; then the text is selected for the user. */
async function copied(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

function startTheme(viewers) {
  const button = document.querySelector("button.theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => {
    for (const viewer of viewers.values()) viewer.later();
    for (const viewer of viewers.values()) viewer.contrast.set({});
  };
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    repaint();
  });
  dark.addEventListener("change", repaint);
}

/* A line and numbers where the pointer is on a curve. */
function startCharts() {
  for (const chart of document.querySelectorAll("figure.chart")) {
    const svg = chart.querySelector("svg");
    const line = svg.querySelector(".cursor");
    const said = chart.querySelector(".readout");
    const points = JSON.parse(chart.dataset.points);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const near = points.reduce((best, point) => (Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best));
      line.setAttribute("x1", near.x);
      line.setAttribute("x2", near.x);
      line.removeAttribute("visibility");
      said.textContent = near.said;
    });
    svg.addEventListener("pointerleave", () => {
      line.setAttribute("visibility", "hidden");
      said.textContent = said.dataset.idle;
    });
  }
}

const viewers = startPictures(JSON.parse(document.getElementById("data").textContent));
startTheme(viewers);
startCopying();
startCharts();
