// The timeline: its span is a filter, so all below shows what the timeline shows.

const SHORTEST_SPAN = 10;
const MANY_LANES = 40;
const SHOW_PARTS = "Show likely notebooks";
const HIDE_PARTS = "Hide likely notebooks";

class Timeline {
  constructor(root, head, calls, filters) {
    Object.assign(this, { root, calls, filters, warnings: head.warning_list });
    this.whole = wholeSpan(calls);
    this.lanes = orderedLanes(head);
    this.cursor = new TimelineCursor(this);
    this.redraw = beforeNextFrame(() => this.draw());
    this.#build();
    new ResizeObserver(this.redraw).observe(root);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.redraw);
    new TimelineInput(this);
    filters.onChange(() => this.draw());
  }

  get span() {
    return this.filters.state.span ?? this.whole;
  }

  /** Draw what is in sight, in the colours of the moment. */
  draw() {
    // The span is as wide as its whole bins, so that a bin is what the pointer is on.
    this.boxWidth = this.overview.clientWidth;
    this.bins = Math.max(1, Math.floor(this.boxWidth / BIN));
    this.width = this.bins * BIN;
    this.#count();
    this.#drawOverview();
    this.axis.replaceChildren(...axisTicks(this.span, this.width, this.boxWidth));
    const most = Math.max(1, this.#most());
    const colours = currentColours();
    for (const { lane, canvas, item, pick } of this.strips) {
      const chosen = this.filters.state.lanes.includes(lane.at);
      const ofWhole = lane.part_of !== null && this.filters.state.lanes.includes(lane.part_of);
      pick.setAttribute("aria-pressed", String(chosen));
      item.classList.toggle("dimmed", this.filters.state.lanes.length > 0 && !chosen && !ofWhole);
      const range = [lane.at * this.bins, (lane.at + 1) * this.bins];
      if (!item.classList.contains("away")) {
        drawLane(canvas, {
          kind: lane.kind,
          most,
          colours,
          counts: this.counts.subarray(...range),
          errors: this.errors.subarray(...range),
          warnings: this.warningsOf.get(JSON.stringify([lane.role_arn, warnedName(lane)]))?.map((seconds) => this.x(seconds)) ?? [],
        });
      }
    }
    byId("zoom-all").disabled = byId("zoom-out").disabled = this.filters.state.span === null;
    this.cursor.show();
  }

  /** Show a span, kept within the whole; all of it is no filter. */
  show(from, to) {
    const length = Math.min(Math.max(to - from, SHORTEST_SPAN), this.whole[1] - this.whole[0]);
    const start = Math.min(Math.max(from, this.whole[0]), this.whole[1] - length);
    const isWhole = length >= this.whole[1] - this.whole[0];
    this.filters.change({ span: isWhole ? null : [start, start + length] });
  }

  /** Zoom about a time: a factor below 1 shows less. */
  zoom(factor, about = this.cursor.time ?? (this.span[0] + this.span[1]) / 2) {
    const [from, to] = this.span;
    this.show(about - (about - from) * factor, about + (to - about) * factor);
  }

  pan(share) {
    const [from, to] = this.span;
    this.show(from + (to - from) * share, to + (to - from) * share);
  }

  /** Where a time is, in pixels from the left of a strip. */
  x(seconds) {
    return ((seconds - this.span[0]) / (this.span[1] - this.span[0])) * this.width;
  }

  /** The time at so many pixels from the left of a strip. */
  time(x) {
    return this.span[0] + (x / this.width) * (this.span[1] - this.span[0]);
  }

  /** The number of the bin that a call falls into, of the bins of some span. */
  binOf(row, [from, to] = this.span) {
    const bin = Math.floor(((this.calls.seconds[row] - from) / (to - from)) * this.bins);
    return Math.min(this.bins - 1, Math.max(0, bin));
  }

  /** How many calls a bin of a lane holds. */
  countAt(lane, bin) {
    return this.counts[this.lanes[lane].at * this.bins + bin];
  }

  /** The number of the next lane that is shown, or of this one where there is none. */
  laneInSight(lane, by) {
    for (let next = lane + by; next >= 0 && next < this.lanes.length; next += by) if (!this.strips[next].item.hidden) return next;
    return lane;
  }

  /** Show the parts of a lane below it, or hide them. */
  #open(opener, at) {
    const isOpen = opener.ariaExpanded !== "true";
    opener.ariaExpanded = String(isOpen);
    opener.textContent = isOpen ? HIDE_PARTS : SHOW_PARTS;
    this.cursor.look(null);
    for (const { lane, item } of this.strips) if (lane.part_of === at) item.hidden = !isOpen;
    this.redraw();
  }

  /** The number of the lane that an element belongs to, or null. */
  laneOf(target) {
    const at = this.strips.findIndex(({ item }) => item.contains(target));
    return at < 0 ? null : at;
  }

  showBrush(from, to) {
    const left = this.overview.getBoundingClientRect().left - this.root.getBoundingClientRect().left;
    this.brush.hidden = false;
    this.brush.style.left = `${left + from}px`;
    this.brush.style.width = `${to - from}px`;
  }

  hideBrush() {
    this.brush.hidden = true;
  }

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
      const opener = button({ className: "link opener", ariaExpanded: "false" }, () => this.#open(opener, lane.at), SHOW_PARTS);
      const hasParts = this.lanes.some(({ part_of: whole }) => whole === lane.at);
      const item = element(
        "li",
        { className: `lane ${lane.kind} ${LANE_KINDS[lane.kind].tone}`, hidden: lane.part_of !== null },
        hasParts ? element("div", { className: "with-opener" }, pick, opener) : pick,
        element("div", { className: "strip" }, canvas),
      );
      return { lane, canvas, pick, item };
    });
    byId("key-likely").hidden = !this.lanes.some(({ kind }) => isDoubt(kind));
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
    this.warningsOf = new Map();
    for (const { notebook, role_arn: role, event_time: time } of this.warnings) {
      const key = JSON.stringify([role, notebook]);
      this.warningsOf.set(key, [...(this.warningsOf.get(key) ?? []), Date.parse(time) / 1000]);
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
    this.counts = new Uint32Array(calls.lanes.length * bins);
    this.errors = new Uint32Array(calls.lanes.length * bins);
    const [from, to] = this.filters.rowsWithin(this.span);
    for (let row = from; row < to; row += 1) {
      if (!this.filters.fitting[row]) continue;
      const bin = this.binOf(row);
      this.#countBetween(calls.lane[row], bin, calls.errors[row]);
      const { part_of: whole } = calls.lanes[calls.lane[row]];
      if (whole !== null) this.#countBetween(whole, bin, calls.errors[row]);
    }
  }

  #countBetween(lane, bin, isError) {
    this.counts[lane * this.bins + bin] += 1;
    if (isError) this.errors[lane * this.bins + bin] += 1;
  }

  /** The largest count of a bin of any lane, so that lanes can be compared. */
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
      counts[this.binOf(row, this.whole)] += this.filters.fitting[row];
    }
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    drawLane(this.overview, { kind: "handshake", counts, errors: [], most, colours: currentColours() });
    const percent = (seconds) => `${(seconds / (end - start)) * (this.width / this.boxWidth) * 100}%`;
    this.window.hidden = this.filters.state.span === null;
    this.window.style.left = percent(this.span[0] - start);
    this.window.style.width = `max(3px, ${percent(this.span[1] - this.span[0])})`;
  }
}

/** The span of all calls, with a little room on both sides. */
function wholeSpan(calls) {
  if (!calls.length) return [0, HOUR];
  const [first, last] = [calls.seconds[0], calls.seconds[calls.length - 1]];
  const room = Math.max(1, Math.round((last - first) / 200));
  return [first - room, Math.max(last + room, first - room + MINUTE)];
}
