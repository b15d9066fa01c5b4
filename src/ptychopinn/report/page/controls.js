"use strict";
/* Contrast: a histogram, two sliders over it, a choice of colours, and a wheel for angles. */

class Levels {
  constructor(element, rasters, contrast, palette) {
    this.element = element;
    this.rasters = rasters;
    this.contrast = contrast;
    this.palette = palette;
    this.layer = rasters[0].layer;
    this.start = { low: contrast.low, high: contrast.high, map: contrast.map };
    this.histogram = element.querySelector("canvas.histogram");
    this.bar = element.querySelector("canvas.bar");
    this.low = element.querySelector("input.low");
    this.high = element.querySelector("input.high");
    this.choice = element.querySelector("select");
    for (const input of [this.low, this.high]) input.addEventListener("input", () => this.slide(input));
    if (this.choice) this.choice.addEventListener("change", () => contrast.set({ map: this.choice.value }));
    element.querySelector(".auto").addEventListener("click", () => contrast.set(this.start));
    contrast.listen(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.histogram);
  }

  toShare(value) { const [low, high] = this.contrast.range; return (value - low) / (high - low); }

  slide(moved) {
    const [low, high] = this.contrast.range;
    const value = low + (Number(moved.value) / 1000) * (high - low);
    const least = (high - low) / 500;
    if (moved === this.low) this.contrast.set({ low: Math.min(value, this.contrast.high - least) });
    else this.contrast.set({ high: Math.max(value, this.contrast.low + least) });
  }

  draw() {
    const { low, high, map } = this.contrast;
    this.low.value = String(Math.round(1000 * this.toShare(low)));
    this.high.value = String(Math.round(1000 * this.toShare(high)));
    for (const [input, value] of [[this.low, low], [this.high, high]]) {
      input.setAttribute("aria-valuetext", valueInWords(this.layer, value));
    }
    this.element.querySelector(".low-said").textContent = valueInWords(this.layer, low);
    this.element.querySelector(".high-said").textContent = valueInWords(this.layer, high);
    if (this.choice) this.choice.value = map;
    this.drawHistogram();
    this.drawBar();
  }

  drawHistogram() {
    const { width, height } = fitted(this.histogram);
    const context = this.histogram.getContext("2d");
    const bins = 96;
    if (!this.counts) {
      this.counts = new Float32Array(bins);
      for (const raster of this.rasters) raster.histogram(this.contrast.range, bins).forEach((n, i) => { this.counts[i] += n; });
    }
    const most = Math.sqrt(Math.max(...this.counts, 1));
    const style = getComputedStyle(this.element);
    const [from, to] = [this.toShare(this.contrast.low) * width, this.toShare(this.contrast.high) * width];
    context.clearRect(0, 0, width, height);
    this.counts.forEach((count, bin) => {
      const x = (bin / bins) * width;
      const inside = x >= from - width / bins && x <= to;
      context.fillStyle = style.getPropertyValue(inside ? "--accent-soft" : "--line");
      const size = (Math.sqrt(count) / most) * height;
      context.fillRect(x, height - size, width / bins - 0.5, size);
    });
  }

  drawBar() {
    const { width, height } = fitted(this.bar);
    const context = this.bar.getContext("2d");
    const { low, high, map } = this.contrast;
    const [first, last] = this.contrast.range;
    for (let x = 0; x < width; x += 1) {
      let share = (first + (x / width) * (last - first) - low) / (high - low);
      share = this.palette.cyclic.includes(map) ? share - Math.floor(share) : clamp(share, 0, 1);
      const index = 3 * Math.min(255, Math.floor(share * 256));
      const table = this.palette.maps[map];
      context.fillStyle = `rgb(${table[index]} ${table[index + 1]} ${table[index + 2]})`;
      context.fillRect(x, 0, 1.5, height);
    }
  }
}

function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  return { width: canvas.clientWidth, height: canvas.clientHeight };
}

/* The legend of an angle: what each direction of the wheel stands for. */
class Wheel {
  constructor(element, viewer, palette) {
    this.element = element;
    this.viewer = viewer;
    this.palette = palette;
    this.canvas = element.querySelector("canvas");
    viewer.contrast.listen(() => this.draw());
    this.draw();
  }

  draw() {
    const { contrast, layer } = this.viewer;
    const complex = Boolean(layer.angle);
    this.element.hidden = !complex && !this.palette.cyclic.includes(contrast.map);
    if (this.element.hidden) return;
    this.element.querySelector("i").hidden = complex;
    const span = complex ? 2 * Math.PI : contrast.high - contrast.low;
    const quarter = span / 4;
    const whole = Math.abs(span - 2 * Math.PI) < 0.01;
    const named = whole ? ["0", "π/2", "±π", "−π/2"] : [0, quarter, 2 * quarter, -quarter].map((v, i) => (i === 2 ? "±" : "") + v.toFixed(2).replace("-", "−"));
    ["east", "north", "west", "south"].forEach((side, i) => { this.element.querySelector(`.${side}`).textContent = named[i]; });
    this.paint(complex, span);
  }

  paint(complex, span) {
    const side = 128;
    this.canvas.width = side;
    this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(side, side);
    const { contrast } = this.viewer;
    const table = this.palette.maps[complex ? "hue" : contrast.map];
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        const [x, y] = [(2 * column + 1) / side - 1, 1 - (2 * row + 1) / side];
        const radius = Math.hypot(x, y);
        const turn = Math.atan2(y, x) / (2 * Math.PI);
        const share = complex ? turn + 0.5 : (turn * span - contrast.low) / span;
        const index = 3 * (Math.floor((share - Math.floor(share)) * 256) % 256);
        const dark = complex ? clamp(radius, 0, 1) : 1;
        const inside = clamp((1 - radius) * side / 2, 0, 1) * (complex ? 1 : clamp((radius - 0.42) * side / 2, 0, 1));
        const at = 4 * (row * side + column);
        for (let k = 0; k < 3; k += 1) image.data[at + k] = table[index + k] * dark ** 1.25;
        image.data[at + 3] = 255 * inside;
      }
    }
    context.putImageData(image, 0, 0);
  }
}
