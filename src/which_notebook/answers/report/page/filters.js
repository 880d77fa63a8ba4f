// What is filtered by, and what is left. All parts of the page read it, and are told when it changes.

const NOTHING = { lanes: [], span: null, services: [], events: [], status: "", errorsOnly: false, query: "" };

class Filters {
  #listeners = [];
  #search;
  #searched = { query: "", mask: null };

  constructor(calls) {
    this.calls = calls;
    this.#search = new Search(calls);
    this.state = { ...NOTHING };
    this.rows = new Uint32Array();
    this.notify = beforeNextFrame(() => this.#tell());
    this.#select();
  }

  /** Call a function now and after every change. */
  onChange(listener) {
    this.#listeners.push(listener);
    listener();
  }

  change(changes) {
    this.state = { ...this.state, ...changes };
    this.notify();
  }

  /** Add a value to one of the lists, or remove it. */
  toggle(name, value) {
    const values = this.state[name];
    this.change({ [name]: values.includes(value) ? values.filter((each) => each !== value) : [...values, value] });
  }

  clear() {
    this.change({ ...NOTHING });
  }

  #tell() {
    this.#select();
    for (const listener of this.#listeners) listener();
  }

  /**
   * Work out `fitting`, a mask of what fits all but lane and span (the timeline shows that); `rows`, what fits all; and
   * the counts for the bars, each of what the bar's own choice leaves open.
   */
  #select() {
    const { calls, state } = this;
    const { mask } = this.#searchFor(state.query);
    const status = chosen(
      state.status ? [calls.columns.status.texts.indexOf(state.status)] : [],
      calls.columns.status.texts.length,
    );
    const lanes = chosen(state.lanes, calls.lanes.length);
    calls.lanes.forEach(({ part_of: whole }, at) => {
      if (whole !== null && lanes[whole]) lanes[at] = 1;
    });
    const services = chosen(state.services, calls.services.texts.length);
    const events = chosen(state.events, calls.eventTexts.length);
    const [from, to] = this.rowsWithin(state.span);
    this.fitting = new Uint8Array(calls.length);
    this.serviceCounts = new Uint32Array(calls.services.texts.length);
    this.eventCounts = new Uint32Array(calls.eventTexts.length);
    const rows = new Uint32Array(calls.length);
    let count = 0;
    for (let row = 0; row < calls.length; row += 1) {
      if (mask && !mask[row]) continue;
      if (!status[calls.columns.status.codes[row]] || (state.errorsOnly && !calls.errors[row])) continue;
      const isService = services[calls.services.codes[row]];
      const isEvent = events[calls.events[row]];
      this.fitting[row] = isService & isEvent;
      if (row < from || row >= to || !lanes[calls.lane[row]]) continue;
      this.serviceCounts[calls.services.codes[row]] += 1;
      if (isService) this.eventCounts[calls.events[row]] += 1;
      if (this.fitting[row]) rows[count++] = row;
    }
    this.rows = rows.slice(0, count);
  }

  /** The first row within a span and the first after it. */
  rowsWithin(span) {
    return span ? [this.calls.firstRow(span[0]), this.calls.firstRow(span[1])] : [0, this.calls.length];
  }

  #searchFor(query) {
    if (query !== this.#searched.query) this.#searched = { query, mask: this.#search.mask(query) };
    return this.#searched;
  }
}

/** A mask of the codes that are chosen; no choice leaves all. */
function chosen(codes, length) {
  const mask = new Uint8Array(length).fill(codes.length ? 0 : 1);
  for (const code of codes) mask[code] = 1;
  return mask;
}
