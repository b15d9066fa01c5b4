"use strict";
/* Mouse, touch and keys on a picture. */

/* A wheel that is turned while the page scrolls under the pointer goes on scrolling the page; it
   magnifies once the pointer has been moved over the picture, or the picture has the focus. */
let lastScroll = 0;
addEventListener("scroll", () => { lastScroll = performance.now(); }, { passive: true });

class Gestures {
  constructor(viewer) {
    this.viewer = viewer;
    this.pointers = new Map();
    this.movedAt = -1;
    const on = (name, act, options) => viewer.canvas.addEventListener(name, act, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event));
    on("pointerleave", () => viewer.view.set({ cursor: null, source: null }));
    on("dblclick", () => viewer.reset());
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("keydown", (event) => this.key(event));
    on("blur", () => viewer.view.set({ cursor: null, source: null }));
    viewer.view.listen(() => {
      viewer.tell();
      viewer.canvas.classList.toggle("zoomed", viewer.view.zoom > 1);
    });
  }

  down(event) {
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (this.viewer.view.zoom > 1 || this.pointers.size > 1) this.viewer.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    const { viewer } = this;
    const before = this.pointers.get(event.pointerId);
    const place = [event.offsetX, event.offsetY];
    if (event.movementX || event.movementY) this.movedAt = performance.now();
    if (before && this.pointers.size === 2) this.pinch(event.pointerId, place);
    else if (before) viewer.moveBy(place[0] - before[0], place[1] - before[1]);
    if (before) this.pointers.set(event.pointerId, place);
    viewer.pointAt(...place);
  }

  pinch(moving, place) {
    const [, fixed] = [...this.pointers].find(([id]) => id !== moving);
    const apart = ([x, y]) => Math.hypot(x - fixed[0], y - fixed[1]);
    const middle = [(place[0] + fixed[0]) / 2, (place[1] + fixed[1]) / 2];
    this.viewer.zoomAt(apart(place) / Math.max(1, apart(this.pointers.get(moving))), ...middle);
  }

  up(event) { this.pointers.delete(event.pointerId); }

  wheel(event) {
    const { viewer } = this;
    const meant = event.ctrlKey || event.metaKey || document.activeElement === viewer.canvas || this.movedAt > lastScroll;
    const atEnd = event.deltaY > 0 && viewer.view.zoom <= 1;
    if (!meant || atEnd) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    viewer.zoomAt(Math.exp(-pixels * 0.0022), event.offsetX, event.offsetY);
  }

  key(event) {
    const { viewer } = this;
    const { clientWidth: width, clientHeight: height } = viewer.canvas;
    const step = 0.12 * width;
    const acts = {
      "+": () => viewer.zoomAt(1.5, width / 2, height / 2),
      "=": () => viewer.zoomAt(1.5, width / 2, height / 2),
      "-": () => viewer.zoomAt(1 / 1.5, width / 2, height / 2),
      0: () => viewer.reset(),
      Escape: () => viewer.reset(),
      ArrowLeft: () => viewer.moveBy(step, 0),
      ArrowRight: () => viewer.moveBy(-step, 0),
      ArrowUp: () => viewer.moveBy(0, step),
      ArrowDown: () => viewer.moveBy(0, -step),
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && viewer.view.zoom <= 1) return;
    event.preventDefault();
    acts[event.key]();
    viewer.view.set({ cursor: viewer.middle, source: null });
  }
}
