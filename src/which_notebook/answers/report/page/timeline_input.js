// The pointer, the wheel and the keys on the timeline.

class TimelineInput {
  constructor(timeline) {
    this.timeline = timeline;
    this.drag = null;
    const { root, cursor, filters } = timeline;
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#release(event));
    root.addEventListener("pointercancel", () => this.#endDrag());
    root.addEventListener("pointerleave", () => cursor.look(null));
    root.addEventListener("dblclick", (event) => isOnStrip(event) && filters.change({ span: null }));
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("blur", () => cursor.look(null));
    byId("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => timeline.zoom(2));
    byId("zoom-all").addEventListener("click", () => filters.change({ span: null }));
  }

  #pointerX(event) {
    return Math.min(
      Math.max(event.clientX - this.timeline.overview.getBoundingClientRect().left, 0),
      this.timeline.width,
    );
  }

  #press(event) {
    if (event.button !== 0 || !isOnStrip(event)) return;
    const overview = event.target.closest(".overview") !== null;
    this.drag = {
      from: this.#pointerX(event),
      span: overview ? this.timeline.whole : this.timeline.span,
      lane: this.timeline.laneOf(event.target),
    };
    this.timeline.root.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.drag) {
      const [from, to] = [this.drag.from, this.#pointerX(event)].sort((a, b) => a - b);
      this.timeline.cursor.look(null);
      this.timeline.showBrush(from, to);
    } else {
      const lane = this.timeline.laneOf(event.target);
      const bin = Math.min(this.timeline.bins - 1, Math.floor(this.#pointerX(event) / BIN));
      this.timeline.cursor.look(lane !== null && isOnStrip(event) ? { lane, bin } : null, event);
    }
  }

  #release(event) {
    if (!this.drag) return;
    const { from: pressed, span, lane } = this.drag;
    const [from, to] = [pressed, this.#pointerX(event)].sort((a, b) => a - b);
    this.#endDrag();
    const time = (x) => span[0] + (x / this.timeline.width) * (span[1] - span[0]);
    if (to - from > BIN) this.timeline.show(time(from), time(to));
    else if (lane !== null) this.timeline.filters.toggle("lanes", this.timeline.lanes[lane].at);
  }

  #endDrag() {
    this.drag = null;
    this.timeline.hideBrush();
  }

  /** The plain wheel scrolls the page, as it does elsewhere; a pinch on a touchpad comes as wheel with Ctrl. */
  #wheel(event) {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey)
      this.timeline.zoom(1.002 ** event.deltaY, this.timeline.time(this.#pointerX(event)));
    else if (this.timeline.filters.state.span && Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      this.timeline.pan(sideways / this.timeline.width);
    else return;
    event.preventDefault();
  }

  #key(event) {
    if (event.target !== this.timeline.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const { timeline } = this;
    const { cursor, filters, lanes } = timeline;
    const keys = {
      "+": () => timeline.zoom(0.5),
      "=": () => timeline.zoom(0.5),
      "-": () => timeline.zoom(2),
      PageUp: () => timeline.pan(-0.5),
      PageDown: () => timeline.pan(0.5),
      Escape: () => timeline.filters.change({ span: null, lanes: [] }),
      ArrowLeft: () => cursor.step(-1),
      ArrowRight: () => cursor.step(1),
      ArrowUp: () => cursor.stepLane(-1),
      ArrowDown: () => cursor.stepLane(1),
      Enter: () => cursor.at && filters.toggle("lanes", lanes[cursor.at.lane].at),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}

/** Whether the pointer is where time runs, and not on a name. */
const isOnStrip = (event) => event.target.closest(".strip, .axis") !== null;
