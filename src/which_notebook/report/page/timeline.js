// The timeline: its span is a filter, so all below shows what the timeline shows.

const SHORTEST_SPAN = 10;
const MANY_LANES = 40;
const YEAR = 364 * DAY; // of whole weeks
const TICK_STEPS = [
  1,
  5,
  10,
  15,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  4 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  91 * DAY,
  182 * DAY,
  YEAR,
];
// A date needs less room than a date with a time.
const ROOM_FOR_DATE = 64;
const ROOM_FOR_TIME = 104;

class Timeline {
  constructor(root, head, calls, filters) {
    Object.assign(this, { root, calls, filters, signs: head.signs });
    this.whole = wholeSpan(calls);
    this.lanes = orderedLanes(head);
    this.cursor = null;
    this.#build();
    this.#listen();
    filters.onChange(() => this.draw());
  }

  get span() {
    return this.filters.state.span ?? this.whole;
  }

  /** Draw what is in sight, in the colours of the moment. */
  draw() {
    this.width = this.overview.clientWidth;
    this.bins = Math.max(1, Math.floor(this.width / BIN));
    this.#count();
    this.#drawOverview();
    this.#drawAxis();
    const most = Math.max(1, this.#most());
    const colours = currentColours();
    for (const { lane, canvas, item, pick } of this.strips) {
      const chosen = this.filters.state.lanes.includes(lane.at);
      pick.setAttribute("aria-pressed", String(chosen));
      item.classList.toggle("dimmed", this.filters.state.lanes.length > 0 && !chosen);
      const range = [lane.at * this.bins, (lane.at + 1) * this.bins];
      if (!item.classList.contains("away")) {
        drawLane(canvas, {
          kind: lane.kind,
          most,
          colours,
          counts: this.counts.subarray(...range),
          errors: this.errors.subarray(...range),
          signs: this.signsOf.get(lane.name)?.map((seconds) => this.#x(seconds)) ?? [],
        });
      }
    }
    byId("zoom-all").disabled = byId("zoom-out").disabled = this.filters.state.span === null;
    this.#showCursor();
  }

  /** Show a span, kept within the whole; all of it is no filter. */
  show(from, to) {
    const length = Math.min(Math.max(to - from, SHORTEST_SPAN), this.whole[1] - this.whole[0]);
    const start = Math.min(Math.max(from, this.whole[0]), this.whole[1] - length);
    const isWhole = length >= this.whole[1] - this.whole[0];
    this.filters.change({ span: isWhole ? null : [start, start + length] });
  }

  /** Zoom about a time: a factor below 1 shows less. */
  zoom(factor, about = this.#cursorTime() ?? (this.span[0] + this.span[1]) / 2) {
    const [from, to] = this.span;
    this.show(about - (about - from) * factor, about + (to - about) * factor);
  }

  pan(share) {
    const [from, to] = this.span;
    this.show(from + (to - from) * share, to + (to - from) * share);
  }

  // What is drawn

  #build() {
    this.overview = element("canvas", { ariaHidden: "true" });
    this.window = element("div", { className: "window" });
    this.axis = element("div", { className: "axis", ariaHidden: "true" });
    this.brush = element("div", { className: "brush", hidden: true });
    this.strips = this.lanes.map((lane) => {
      const canvas = element("canvas", { ariaHidden: "true" });
      const pick = button(
        { className: "lane-name", title: lane.role_arn ? `${lane.label}\n${lane.role_arn}` : lane.label },
        () => this.filters.toggle("lanes", lane.at),
        laneMark(lane) ?? "",
        element("span", { className: "lane-label" }, lane.label),
        element("span", { className: "lane-count" }, number(lane.calls)),
      );
      const item = element(
        "li",
        { className: `lane ${lane.kind}` },
        pick,
        element("div", { className: "strip" }, canvas),
      );
      return { lane, canvas, pick, item };
    });
    this.list = element("ol", { className: "lanes" }, ...this.strips.map(({ item }) => item));
    this.root.append(
      element(
        "div",
        { className: "lane overview" },
        element("span", { className: "lane-name" }, "All"),
        element("div", { className: "strip" }, this.overview, this.window),
      ),
      element("div", { className: "lane axis-lane" }, element("span", { className: "lane-name" }), this.axis),
      this.list,
      this.brush,
    );
    this.signsOf = new Map();
    for (const { notebook, event_time: time } of this.signs) {
      this.signsOf.set(notebook, [...(this.signsOf.get(notebook) ?? []), Date.parse(time) / 1000]);
    }
    // Of very many lanes only those in sight are drawn.
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) target.classList.toggle("away", !isIntersecting);
        this.redraw();
      },
      { root: this.list, rootMargin: "200px" },
    );
    if (this.strips.length > MANY_LANES) {
      this.list.classList.add("many");
      for (const { item } of this.strips) {
        item.classList.add("away");
        this.observer.observe(item);
      }
    }
  }

  #count() {
    const { calls, bins } = this;
    const [start, end] = this.span;
    this.counts = new Uint32Array(calls.lanes.length * bins);
    this.errors = new Uint32Array(calls.lanes.length * bins);
    const [from, to] = this.filters.rowsWithin(this.span);
    const binsPerSecond = bins / (end - start);
    for (let row = from; row < to; row += 1) {
      if (!this.filters.fitting[row]) continue;
      const bin = calls.lane[row] * bins + Math.min(bins - 1, Math.floor((calls.seconds[row] - start) * binsPerSecond));
      this.counts[bin] += 1;
      if (calls.errors[row]) this.errors[bin] += 1;
    }
  }

  /** The largest count of a bin; handshakes and bins of one lane don't make the others flat. */
  #most() {
    let most = 0;
    for (const count of this.counts) if (count > most) most = count;
    return most;
  }

  #drawOverview() {
    const { calls, bins } = this;
    const [start, end] = this.whole;
    const counts = new Uint32Array(bins);
    for (let row = 0; row < calls.length; row += 1) {
      if (this.filters.fitting[row])
        counts[Math.min(bins - 1, Math.floor(((calls.seconds[row] - start) / (end - start)) * bins))] += 1;
    }
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    drawLane(this.overview, { kind: "handshake", counts, errors: [], most, colours: currentColours() });
    const share = (seconds) => `${((seconds - start) / (end - start)) * 100}%`;
    this.window.hidden = this.filters.state.span === null;
    this.window.style.left = share(this.span[0]);
    this.window.style.width = `max(3px, ${((this.span[1] - this.span[0]) / (end - start)) * 100}%)`;
  }

  #drawAxis() {
    const [from, to] = this.span;
    const perPixel = (to - from) / Math.max(this.width, 1);
    const years = Math.ceil((perPixel * ROOM_FOR_TIME) / YEAR) * YEAR;
    const step = TICK_STEPS.find((each) => each >= perPixel * (each < DAY ? ROOM_FOR_TIME : ROOM_FOR_DATE)) ?? years;
    const ticks = [];
    for (let time = Math.ceil(from / step) * step; time < to; time += step) {
      const x = this.#x(time);
      if (x > this.width - 40) break;
      const [day, clock] = spokenTime(time, step < MINUTE).split(", ");
      const isDay = time % DAY === 0 || ticks.length === 0;
      const words = step >= 91 * DAY ? day : day.replace(/ \d+$/, "");
      const tick = element(
        "span",
        { className: isDay ? "tick day" : "tick" },
        time % DAY === 0 ? words : isDay ? `${words}, ${clock}` : clock,
      );
      // Of the width, since on paper that is another.
      tick.style.left = `${(x / this.width) * 100}%`;
      ticks.push(tick);
    }
    this.axis.replaceChildren(...ticks);
  }

  #x(seconds) {
    return ((seconds - this.span[0]) / (this.span[1] - this.span[0])) * this.width;
  }

  #time(x) {
    return this.span[0] + (x / this.width) * (this.span[1] - this.span[0]);
  }

  // Pointer and keys

  #listen() {
    this.redraw = beforeNextFrame(() => this.draw());
    new ResizeObserver(this.redraw).observe(this.root);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.redraw);
    this.root.addEventListener("pointerdown", (event) => this.#press(event));
    this.root.addEventListener("pointermove", (event) => this.#move(event));
    this.root.addEventListener("pointerup", (event) => this.#release(event));
    this.root.addEventListener("pointercancel", () => this.#endDrag());
    this.root.addEventListener("pointerleave", () => this.#look(null));
    this.root.addEventListener("dblclick", (event) => this.#isOnStrip(event) && this.filters.change({ span: null }));
    this.root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("blur", () => this.#look(null));
    byId("zoom-in").addEventListener("click", () => this.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.zoom(2));
    byId("zoom-all").addEventListener("click", () => this.filters.change({ span: null }));
  }

  #isOnStrip(event) {
    return event.target.closest(".strip, .axis") !== null;
  }

  #pointerX(event) {
    return Math.min(Math.max(event.clientX - this.overview.getBoundingClientRect().left, 0), this.width);
  }

  #press(event) {
    if (event.button !== 0 || !this.#isOnStrip(event)) return;
    const overview = event.target.closest(".overview") !== null;
    this.drag = {
      from: this.#pointerX(event),
      span: overview ? this.whole : this.span,
      lane: this.#laneOf(event.target),
    };
    this.root.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.drag) {
      const [from, to] = [this.drag.from, this.#pointerX(event)].sort((a, b) => a - b);
      this.#look(null);
      this.#showBrush(from, to);
    } else {
      const lane = this.#laneOf(event.target);
      const bin = Math.min(this.bins - 1, Math.floor(this.#pointerX(event) / BIN));
      this.#look(lane !== null && this.#isOnStrip(event) ? { lane, bin } : null, event);
    }
  }

  #release(event) {
    if (!this.drag) return;
    const { from: pressed, span, lane } = this.drag;
    const [from, to] = [pressed, this.#pointerX(event)].sort((a, b) => a - b);
    this.#endDrag();
    const time = (x) => span[0] + (x / this.width) * (span[1] - span[0]);
    if (to - from > BIN) this.show(time(from), time(to));
    else if (lane !== null) this.filters.toggle("lanes", this.lanes[lane].at);
  }

  #endDrag() {
    this.drag = null;
    this.brush.hidden = true;
  }

  #showBrush(from, to) {
    const left = this.overview.getBoundingClientRect().left - this.root.getBoundingClientRect().left;
    this.brush.hidden = false;
    this.brush.style.left = `${left + from}px`;
    this.brush.style.width = `${to - from}px`;
  }

  /** The plain wheel scrolls the page, as it does elsewhere; a pinch on a touchpad comes as wheel with Ctrl. */
  #wheel(event) {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) this.zoom(1.002 ** event.deltaY, this.#time(this.#pointerX(event)));
    else if (this.filters.state.span && Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      this.pan(sideways / this.width);
    else return;
    event.preventDefault();
  }

  #key(event) {
    if (event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      PageUp: () => this.pan(-0.5),
      PageDown: () => this.pan(0.5),
      Escape: () => this.filters.change({ span: null, lanes: [] }),
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      ArrowUp: () => this.#stepLane(-1),
      ArrowDown: () => this.#stepLane(1),
      Enter: () => this.cursor && this.filters.toggle("lanes", this.lanes[this.cursor.lane].at),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  // What is there

  /** Go to the next bin of the lane that holds a call. */
  #step(by) {
    if (!this.lanes.length) return;
    const lane = this.cursor?.lane ?? 0;
    let bin = this.cursor?.bin ?? (by > 0 ? -1 : this.bins);
    do bin += by;
    while (bin >= 0 && bin < this.bins && !this.#countAt(lane, bin));
    if (bin >= 0 && bin < this.bins) this.#look({ lane, bin });
  }

  /** Go to another lane, to the bin nearest to this one that holds a call. */
  #stepLane(by) {
    if (!this.lanes.length) return;
    const lane = this.cursor ? Math.min(Math.max(this.cursor.lane + by, 0), this.lanes.length - 1) : 0;
    const from = this.cursor?.bin ?? 0;
    let bin = from;
    for (let away = 0; away < this.bins; away += 1) {
      const near = [from - away, from + away].find(
        (each) => each >= 0 && each < this.bins && this.#countAt(lane, each),
      );
      if (near !== undefined) {
        bin = near;
        break;
      }
    }
    this.#look({ lane, bin });
  }

  #countAt(lane, bin) {
    return this.counts[this.lanes[lane].at * this.bins + bin];
  }

  #laneOf(target) {
    const at = this.strips.findIndex(({ item }) => item.contains(target));
    return at < 0 ? null : at;
  }

  #cursorTime() {
    return this.cursor ? this.#time((this.cursor.bin + 0.5) * BIN) : null;
  }

  /** Show what a bin of a lane holds: beside the pointer, or beside the bin and to a screen reader. */
  #look(cursor, pointer = null) {
    const hadCursor = this.cursor !== null;
    this.cursor = cursor;
    this.pointer = pointer;
    if (cursor || hadCursor) this.#showCursor();
  }

  #showCursor() {
    const tip = byId("tip");
    const { cursor, pointer } = this;
    tip.hidden = !cursor || cursor.bin >= this.bins || (pointer !== null && !this.#countAt(cursor.lane, cursor.bin));
    for (const { item } of this.strips) item.classList.remove("at-cursor");
    if (tip.hidden) return;
    const { item, canvas } = this.strips[cursor.lane];
    item.classList.add("at-cursor");
    const [title, ...lines] = this.#describe(cursor);
    tip.replaceChildren(element("strong", {}, title), ...lines.map((line) => element("span", {}, line)));
    if (!pointer) {
      byId("readout").textContent = [title, ...lines].join(". ");
      item.scrollIntoView({ block: "nearest" });
    }
    const box = canvas.getBoundingClientRect();
    const x = pointer ? pointer.clientX : box.left + (cursor.bin + 0.5) * BIN;
    const y = pointer ? pointer.clientY : box.bottom;
    tip.style.left = `${Math.max(8, Math.min(x + 12, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 16 + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 12 : y + 16}px`;
  }

  #describe({ lane, bin }) {
    const { calls, filters } = this;
    const { at, label } = this.lanes[lane];
    const [start, end] = [this.#time(bin * BIN), this.#time((bin + 1) * BIN)];
    const [from, to] = filters.rowsWithin([start, bin === this.bins - 1 ? this.span[1] : end]);
    const counts = new Map();
    let [total, errors, only] = [0, 0, -1];
    for (let row = from; row < to; row += 1) {
      if (calls.lane[row] !== at || !filters.fitting[row]) continue;
      total += 1;
      only = row;
      if (calls.errors[row]) errors += 1;
      counts.set(calls.events[row], (counts.get(calls.events[row]) ?? 0) + 1);
    }
    if (total === 1) {
      const error = calls.field("error_code", only);
      return [
        label,
        plainTime(calls.field("event_time", only)),
        `${calls.event(only)}${error === null ? "" : ` – ${error}`}`,
      ];
    }
    const most = [...counts].sort((a, b) => b[1] - a[1]);
    const events = most.slice(0, 3).map(([event, count]) => `${number(count)} ${calls.eventTexts[event]}`);
    if (most.length > 3) events.push(`${number(most.length - 3)} more kinds`);
    return [
      label,
      spokenSpan(start, end),
      `${counted(total, "call")}${errors ? `, ${counted(errors, "error")}` : ""}`,
      ...events,
    ];
  }
}

/** The span of all calls, with a little room on both sides. */
function wholeSpan(calls) {
  if (!calls.length) return [0, HOUR];
  const [first, last] = [calls.seconds[0], calls.seconds[calls.length - 1]];
  const room = Math.max(1, Math.round((last - first) / 200));
  return [first - room, Math.max(last + room, first - room + MINUTE)];
}
