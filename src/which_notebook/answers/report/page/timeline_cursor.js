// Where somebody looks on the timeline, by pointer or by keys, and what is there.

const EVENTS_IN_TIP = 3;

class TimelineCursor {
  constructor(timeline) {
    this.timeline = timeline;
    /** The number of a lane and of a bin in it, or null. */
    this.at = null;
    this.pointer = null;
  }

  /** The time in the middle of the bin, or null. */
  get time() {
    return this.at ? this.timeline.time((this.at.bin + 0.5) * BIN) : null;
  }

  /** Go to the next bin of the lane that holds a call. */
  step(by) {
    const { timeline } = this;
    if (!timeline.lanes.length) return;
    const lane = this.at?.lane ?? 0;
    let bin = this.at?.bin ?? (by > 0 ? -1 : timeline.bins);
    do bin += by;
    while (bin >= 0 && bin < timeline.bins && !timeline.countAt(lane, bin));
    if (bin >= 0 && bin < timeline.bins) this.look({ lane, bin });
  }

  /** Go to another lane, to the bin nearest to this one that holds a call. */
  stepLane(by) {
    const { timeline } = this;
    if (!timeline.lanes.length) return;
    const lane = this.at ? timeline.laneInSight(this.at.lane, by) : 0;
    const from = this.at?.bin ?? 0;
    let bin = from;
    for (let away = 0; away < timeline.bins; away += 1) {
      const near = [from - away, from + away].find(
        (each) => each >= 0 && each < timeline.bins && timeline.countAt(lane, each),
      );
      if (near !== undefined) {
        bin = near;
        break;
      }
    }
    this.look({ lane, bin });
  }

  /** Show what a bin of a lane holds: beside the pointer, or beside the bin and to a screen reader. */
  look(at, pointer = null) {
    const before = this.at;
    this.at = at;
    this.pointer = pointer;
    if (at || before) this.show();
  }

  /** Show it again, after the timeline was drawn anew. */
  show() {
    const tip = byId("tip");
    const { at, pointer, timeline } = this;
    tip.hidden = !at || at.bin >= timeline.bins || (pointer !== null && !timeline.countAt(at.lane, at.bin));
    for (const { item } of timeline.strips) item.classList.remove("at-cursor");
    if (tip.hidden) return;
    const { item, canvas } = timeline.strips[at.lane];
    item.classList.add("at-cursor");
    const [title, ...lines] = this.#describe(at);
    tip.replaceChildren(element("strong", {}, title), ...lines.map((line) => element("span", {}, line)));
    if (!pointer) {
      byId("readout").textContent = [title, ...lines].join(". ");
      item.scrollIntoView({ block: "nearest" });
    }
    const box = canvas.getBoundingClientRect();
    const x = pointer ? pointer.clientX : box.left + (at.bin + 0.5) * BIN;
    const y = pointer ? pointer.clientY : box.bottom;
    tip.style.left = `${Math.max(8, Math.min(x + 12, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 16 + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 12 : y + 16}px`;
  }

  #describe({ lane, bin }) {
    const { timeline } = this;
    const { calls, filters, lanes } = timeline;
    const { at, label } = lanes[lane];
    const [start, end] = [timeline.time(bin * BIN), timeline.time((bin + 1) * BIN)];
    const [from, to] = filters.rowsWithin([start - 1, end + 1]);
    const counts = new Map();
    let [total, errors, only] = [0, 0, -1];
    for (let row = from; row < to; row += 1) {
      if (!calls.isInLane(row, at) || !filters.fitting[row] || timeline.binOf(row) !== bin) continue;
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
    const events = most.slice(0, EVENTS_IN_TIP).map(([event, count]) => `${number(count)} ${calls.eventTexts[event]}`);
    if (most.length > EVENTS_IN_TIP) events.push(`${number(most.length - EVENTS_IN_TIP)} more kinds`);
    return [
      label,
      spokenSpan(start, end),
      `${counted(total, "call")}${errors ? `, ${counted(errors, "error")}` : ""}`,
      ...events,
    ];
  }
}
