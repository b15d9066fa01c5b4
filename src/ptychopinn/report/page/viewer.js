"use strict";
/* One picture on the page: a canvas with a readout. */
class Viewer {
  constructor(figure, raster, view, contrast) {
    this.figure = figure;
    this.raster = raster;
    this.layer = raster.layer;
    this.view = view;
    this.contrast = contrast;
    this.canvas = figure.querySelector("canvas.picture");
    this.readout = figure.querySelector(".readout");
    this.dots = this.layer.dots ? new DotLayer(this.layer.dots) : null;
    const { frame, width, height } = this.layer;
    this.extent = { left: frame.left, top: frame.top, width: width * frame.factor, height: height * frame.factor };
    this.canvas.style.aspectRatio = `${this.extent.width} / ${this.extent.height}`;
    view.listen(() => this.later());
    contrast.listen(() => { this.stale = true; this.later(); });
    this.stale = true;
    new ResizeObserver(() => this.later()).observe(this.canvas);
    new Gestures(this);
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  /* CSS pixels per canvas pixel. */
  get scale() { return (this.canvas.clientWidth / this.extent.width) * this.view.zoom; }

  get middle() {
    const { left, top, width, height } = this.extent;
    return this.view.middle || [left + width / 2, top + height / 2];
  }

  toCanvas(x, y) {
    const [mx, my] = this.middle;
    return [mx + (x - this.canvas.clientWidth / 2) / this.scale, my + (y - this.canvas.clientHeight / 2) / this.scale];
  }

  toScreen(x, y) {
    const [mx, my] = this.middle;
    return [this.canvas.clientWidth / 2 + (x - mx) * this.scale, this.canvas.clientHeight / 2 + (y - my) * this.scale];
  }

  /* Keep the picture inside its frame. */
  moveTo(x, y, zoom = this.view.zoom) {
    const size = clamp(zoom, 1, MOST_ZOOM);
    const { left, top, width, height } = this.extent;
    const [halfX, halfY] = [width / 2 / size, height / 2 / size];
    const middle = [clamp(x, left + halfX, left + width - halfX), clamp(y, top + halfY, top + height - halfY)];
    this.view.set({ zoom: size, middle });
  }

  moveBy(dx, dy) {
    const [mx, my] = this.middle;
    this.moveTo(mx - dx / this.scale, my - dy / this.scale);
  }

  zoomAt(factor, x, y) {
    const zoom = clamp(this.view.zoom * factor, 1, MOST_ZOOM);
    const [px, py] = this.toCanvas(x, y);
    const ratio = this.view.zoom / zoom;
    const [mx, my] = this.middle;
    this.moveTo(px + (mx - px) * ratio, py + (my - py) * ratio, zoom);
  }

  reset() { this.view.set({ zoom: 1, middle: null }); }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width || !height) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const style = getComputedStyle(this.figure);
    if (this.stale || this.theme !== style.getPropertyValue("--blank")) {
      this.theme = style.getPropertyValue("--blank");
      this.raster.colour(this.contrast, rgbOf(this.theme.trim()));
      this.stale = false;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [x, y] = this.toScreen(this.extent.left, this.extent.top);
    context.imageSmoothingEnabled = this.scale * this.layer.frame.factor * ratio < 1.5;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.raster.canvas, x, y, this.extent.width * this.scale, this.extent.height * this.scale);
    if (this.dots) this.dots.draw(context, this, style);
    this.drawCross(context);
    if (width > 200) this.drawScaleBar(context, width, height);
  }

  drawCross(context) {
    const place = this.view.cursor;
    if (!place || this.view.source === this) return;
    const [x, y] = this.toScreen(...place);
    for (const [colour, size] of [["#000a", 3], ["#fff", 1]]) {
      context.strokeStyle = colour;
      context.lineWidth = size;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 4 * dx, y + 4 * dy);
        context.lineTo(x + 11 * dx, y + 11 * dy);
      }
      context.stroke();
    }
  }

  drawScaleBar(context, width, height) {
    const metre = this.layer.frame.pixel_m;
    const perUnit = metre || 1;
    const length = roundLength((0.3 * width / this.scale) * perUnit);
    const said = metre ? lengthInWords(length) : `${length} px`;
    const bar = (length / perUnit) * this.scale;
    context.font = "600 12px system-ui, sans-serif";
    const box = Math.max(bar, context.measureText(said).width) + 16;
    context.fillStyle = "rgba(8, 12, 18, 0.62)";
    context.beginPath();
    context.roundRect(10, height - 44, box, 34, 6);
    context.fill();
    context.fillStyle = "#fff";
    context.textAlign = "center";
    context.fillText(said, 10 + box / 2, height - 28);
    context.fillRect(10 + (box - bar) / 2, height - 20, bar, 3);
  }

  /* Say where the cursor is, in this picture and in those that move with it. */
  pointAt(x, y) {
    this.view.set({ cursor: this.toCanvas(x, y), source: this });
  }

  tell() {
    if (!this.readout) return;
    const place = this.view.cursor;
    this.readout.textContent = place ? this.describe(...place) : this.readout.dataset.idle;
  }

  describe(x, y) {
    const { frame } = this.layer;
    const [column, row] = [Math.floor((x - frame.left) / frame.factor), Math.floor((y - frame.top) / frame.factor)];
    const value = this.raster.value(column, row);
    if (value === undefined) return this.readout.dataset.idle;
    if (this.figure.classList.contains("small")) return valueInWords(this.layer, value);
    const at = frame.pixel_m
      ? `x ${lengthInWords(x * frame.pixel_m)}, y ${lengthInWords(y * frame.pixel_m)}`
      : `x ${x.toFixed(1)}, y ${y.toFixed(1)} ${frame.unit}`;
    const dot = this.dots && this.dots.describe(x, y, this);
    if (dot) return `${at} · ${dot}`;
    const index = row * this.layer.width + column;
    if (this.raster.marks && this.raster.marks[index]) return `${at} · ${this.layer.markNames[this.raster.marks[index] - 1]}`;
    let said = `${at} · ${this.layer.label} ${valueInWords(this.layer, value)}`;
    if (this.raster.angle && Number.isFinite(value)) {
      const turn = this.raster.angle[index] / 256;
      said += `, phase ${((turn > 0.5 ? turn - 1 : turn) * 2 * Math.PI).toFixed(2)} rad`;
    }
    return said;
  }
}
