"use strict";
/* Values of pictures and their colours. Values are decoded once; colours are looked up anew when the
   contrast changes, so that sliders act on values and not on colours. */

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const MISSING = 65535;
const MOST_ZOOM = 40;

/* Who wants to know of a change. */
class Shared {
  constructor(state) { Object.assign(this, state); this.listeners = []; }
  listen(act) { this.listeners.push(act); }
  set(change) { Object.assign(this, change); for (const act of this.listeners) act(); }
}

/* A number with its unit: lengths in metres get the prefix that suits them. */
function lengthInWords(metres, digits = 4) {
  const units = [[1, "m"], [1e-3, "mm"], [1e-6, "µm"], [1e-9, "nm"], [1e-12, "pm"]];
  const [scale, unit] = units.find(([size]) => Math.abs(metres) >= size) || [1e-9, "nm"];
  return `${Number((metres / scale).toPrecision(digits))} ${unit}`;
}

function valueInWords(layer, value) {
  if (!Number.isFinite(value)) return "not known";
  const said = layer.log ? 10 ** value : value;
  const size = Math.abs(said);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? said.toExponential(2) : String(Number(said.toPrecision(4)));
  const number = text.replace("-", "−");
  return layer.unit ? `${number} ${layer.unit}` : number;
}

/* A round length of at most `most`: 1, 2 or 5 times a power of ten. */
function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].find((digit) => digit * power <= most) * power;
}

/* The values of a layer, and their colours under a contrast. */
class Raster {
  constructor(layer, palette) {
    this.layer = layer;
    this.palette = palette;
    const bytes = bytesOf(layer.data);
    this.data = new Uint16Array(bytes.buffer);
    this.angle = layer.angle ? bytesOf(layer.angle) : null;
    this.marks = layer.marks ? bytesOf(layer.marks) : null;
    this.canvas = document.createElement("canvas");
    this.canvas.width = layer.width;
    this.canvas.height = layer.height;
  }

  value(column, row) {
    const { width, height, first, step } = this.layer;
    if (column < 0 || row < 0 || column >= width || row >= height) return undefined;
    const stored = this.data[row * width + column];
    return stored === MISSING ? NaN : first + stored * step;
  }

  colour(contrast, empty) {
    const { width, height } = this.layer;
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const table = this.angle ? this.complexTable(contrast) : this.table(contrast);
    const pixels = new Uint32Array(image.data.buffer);
    const blank = packed(...empty);
    const marks = this.layer.markColours.map((text) => packed(...rgbOf(text)));
    for (let i = 0; i < pixels.length; i += 1) {
      const stored = this.data[i];
      if (this.marks && this.marks[i]) pixels[i] = marks[this.marks[i] - 1];
      else if (stored === MISSING) pixels[i] = blank;
      else pixels[i] = this.angle ? table(stored, this.angle[i]) : table[stored];
    }
    context.putImageData(image, 0, 0);
  }

  /* The colour of every number that can be stored. */
  table({ low, high, map }) {
    const colours = this.palette.maps[map];
    const cyclic = this.palette.cyclic.includes(map);
    const { first, step } = this.layer;
    const table = new Uint32Array(65536);
    for (let stored = 0; stored < MISSING; stored += 1) {
      let share = (first + stored * step - low) / (high - low);
      share = cyclic ? share - Math.floor(share) : clamp(share, 0, 1);
      const index = 3 * Math.min(255, Math.floor(share * 256));
      table[stored] = packed(colours[index], colours[index + 1], colours[index + 2]);
    }
    return table;
  }

  /* Hue for the angle, lightness for the modulus: linear light grows with its third power. */
  complexTable({ low, high }) {
    const { hues, gamma } = this.palette;
    const { first, step } = this.layer;
    const light = new Float32Array(65536);
    for (let stored = 0; stored < MISSING; stored += 1) {
      light[stored] = clamp((first + stored * step - low) / (high - low), 0, 1) ** 3;
    }
    return (stored, turn) => {
      const scale = light[stored] * 1023;
      return packed(gamma[Math.round(hues[3 * turn] * scale)], gamma[Math.round(hues[3 * turn + 1] * scale)],
        gamma[Math.round(hues[3 * turn + 2] * scale)]);
    };
  }

  histogram([low, high], bins) {
    const counts = new Float32Array(bins);
    const { first, step } = this.layer;
    for (const stored of this.data) {
      if (stored === MISSING) continue;
      const bin = Math.floor(((first + stored * step - low) / (high - low)) * bins);
      if (bin >= 0 && bin < bins) counts[bin] += 1;
    }
    return counts;
  }
}

const packed = (red, green, blue) => (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
const rgbOf = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
