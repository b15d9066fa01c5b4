"use strict";
/* Marks at scan positions. */
class DotLayer {
  constructor(dots) {
    this.x = floatsOf(dots.x);
    this.y = floatsOf(dots.y);
    this.numbers = new Uint32Array(bytesOf(dots.numbers).buffer);
    this.values = dots.values ? floatsOf(dots.values) : null;
    this.reach = dots.reach;
    this.halo = dots.halo;
  }

  draw(context, viewer, style) {
    const radius = clamp(0.7 + viewer.scale * 0.5, 1.1, 4);
    context.fillStyle = style.getPropertyValue(this.values ? "--fine-dot" : "--dot");
    for (let i = 0; i < this.x.length; i += 1) {
      const [x, y] = viewer.toScreen(this.x[i], this.y[i]);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
    this.drawNear(context, viewer, radius);
  }

  /* A circle around the mark under the cursor; without a cursor, what a probe covers in the middle. */
  drawNear(context, viewer, radius) {
    const place = viewer.view.cursor || (this.halo ? viewer.middle : null);
    const near = place ? this.nearest(...place, viewer) : -1;
    if (near < 0) return;
    const [x, y] = viewer.toScreen(this.x[near], this.y[near]);
    const size = this.halo ? (this.halo / 2) * viewer.scale : radius + 3;
    for (const [colour, line] of [["#000b", 4], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  nearest(x, y, viewer) {
    const reach = Math.max(this.reach, 14 / viewer.scale);
    let [best, least] = [-1, reach * reach];
    for (let i = 0; i < this.x.length; i += 1) {
      const apart = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (apart < least) [best, least] = [i, apart];
    }
    return best;
  }

  describe(x, y, viewer) {
    const near = this.nearest(x, y, viewer);
    if (near < 0) return "";
    const said = `pattern ${this.numbers[near]}`;
    return this.values ? `${said}: ${this.values[near].toPrecision(3)} ${viewer.layer.label}` : said;
  }
}
