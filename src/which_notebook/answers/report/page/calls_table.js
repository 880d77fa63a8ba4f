// The table of calls. Only the rows in sight exist; the height of all of them is that of an empty box, which scrolls.

const FIRST_COLUMNS = [
  "event_time",
  "notebook",
  "status",
  "event_name",
  "aws_region",
  "source_ip_address",
  "error_code",
];
// Browsers stop at some 17 to 33 million pixels; a longer table scrolls in larger steps.
const TALLEST = 8_000_000;

class CallsTable {
  constructor(root, calls, filters, details, lanes) {
    Object.assign(this, { root, calls, filters, details });
    this.labels = new Map(lanes.map((lane) => [lane.at, lane.label]));
    this.shown = FIRST_COLUMNS;
    this.sort = { column: "event_time", up: true };
    this.ranks = {};
    this.order = filters.rows;
    this.first = this.active = 0;
    this.#build();
    filters.onChange(() => this.#arrange());
  }

  /** The text of a cell: a call's lane stands for its notebook. */
  cell(column, row) {
    if (column === "event_name") return this.calls.event(row);
    if (column === "event_time") return plainTime(this.calls.field(column, row));
    if (column === "notebook") return this.#notebook(row);
    return this.calls.field(column, row);
  }

  /** Make a row's cells, for the screen or for print. */
  cells(row) {
    return this.shown.map((column) => {
      const text = this.cell(column, row);
      return element(
        "td",
        { role: "gridcell", className: `${column}${text === null ? " none" : ""}`, title: text ?? "" },
        text ?? "–",
      );
    });
  }

  #notebook(row) {
    const { calls } = this;
    const profile = calls.field("user_profile", row);
    if (profile !== null) return profileWords(profile);
    return (
      calls.field("notebook", row) ??
      (SHOWN_BY_SESSION.has(calls.field("status", row)) ? calls.field("session_name", row) : null)
    );
  }

  #build() {
    this.head = element("tr", { role: "row", ariaRowIndex: "1" });
    this.body = element("tbody");
    this.table = element("table", { role: "grid", ariaLabel: "Calls" }, element("thead", {}, this.head), this.body);
    this.frame = element("div", { className: "frame" }, this.table);
    this.box = element("div", { className: "box" }, this.frame);
    this.scroller = element("div", { className: "scroller" }, this.box);
    this.root.append(this.scroller);
    this.draw = beforeNextFrame(() => this.#draw());
    this.scroller.addEventListener("scroll", () => {
      // What moved the scrollbar to a row knows it better than the scrollbar does.
      if (this.scroller.scrollTop !== this.scrolledTo) this.first = this.#firstOf(this.scroller.scrollTop);
      this.draw();
    });
    new ResizeObserver(() => this.#arrange()).observe(this.scroller);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (!row || String(getSelection())) return;
      this.active = Number(row.dataset.at);
      this.#open();
    });
    this.scroller.addEventListener("keydown", (event) => this.#key(event));
    this.details.dialog.addEventListener("close", () => this.#afterDetails());
    this.#buildHead();
    this.#buildChoice();
  }

  #buildHead() {
    const heads = this.shown.map((column) => {
      const isSorted = this.sort.column === column;
      const arrow = isSorted ? (this.sort.up ? " ↑" : " ↓") : "";
      return element(
        "th",
        {
          role: "columnheader",
          className: column,
          ariaSort: isSorted ? (this.sort.up ? "ascending" : "descending") : "none",
        },
        button({}, () => this.#sortBy(column), FIELDS[column], element("span", { ariaHidden: "true" }, arrow)),
      );
    });
    const at = [...this.head.children].findIndex((cell) => cell.contains(document.activeElement));
    this.head.replaceChildren(...heads);
    if (at >= 0) this.head.children[at]?.firstChild.focus({ preventScroll: true });
  }

  #buildChoice() {
    for (const [column, words] of Object.entries(FIELDS)) {
      const box = element("input", { type: "checkbox", checked: this.shown.includes(column) });
      box.addEventListener("change", () => {
        this.shown = Object.keys(FIELDS).filter((each) => (each === column ? box.checked : this.shown.includes(each)));
        this.#buildHead();
        this.#arrange();
      });
      byId("column-choice").append(element("label", { className: "check" }, box, ` ${words}`));
    }
  }

  // Order

  #sortBy(column) {
    this.sort = { column, up: this.sort.column === column ? !this.sort.up : true };
    this.#buildHead();
    this.first = this.active = 0;
    this.#arrange();
  }

  /** Each row's place in the order of a column's texts; the rows themselves are in the order of time. */
  #rank(column) {
    if (column === "event_time") return null;
    if (this.ranks[column]) return this.ranks[column];
    const { calls } = this;
    let codes;
    let texts;
    if (column === "event_name") [codes, texts] = [calls.events, calls.eventTexts];
    else if (column === "event_id")
      [codes, texts] = [
        Uint32Array.from({ length: calls.length }, (_, row) => row),
        Array.from({ length: calls.length }, (_, row) => calls.field(column, row)),
      ];
    else ({ codes, texts } = calls.columns[column]);
    // What is missing comes last.
    const order = texts
      .map((_, code) => code)
      .sort((a, b) => (texts[a] === null) - (texts[b] === null) || compareNames(texts[a] ?? "", texts[b] ?? ""));
    const rankOf = new Uint32Array(texts.length);
    order.forEach((code, rank) => (rankOf[code] = rank));
    this.ranks[column] = Uint32Array.from(codes, (code) => rankOf[code]);
    return this.ranks[column];
  }

  /** Put the rows in order and draw; numbers of rank and row in one, since typed arrays sort numbers fast. */
  #arrange() {
    const { rows } = this.filters;
    const rank = this.#rank(this.sort.column);
    if (this.arranged?.rows !== rows || this.arranged.sort !== this.sort) {
      if (this.arranged && this.arranged.rows !== rows) this.first = this.active = 0;
      this.arranged = { rows, sort: this.sort };
      this.order = rows.slice();
      if (rank) {
        const { length } = this.calls;
        const keys = Float64Array.from(rows, (row) => rank[row] * length + row).sort();
        this.order = Uint32Array.from(keys, (key) => key % length);
      }
      if (!this.sort.up) this.order.reverse();
    }
    this.table.ariaRowCount = String(this.order.length + 1);
    this.rowHeight = Number.parseFloat(getComputedStyle(this.root).getPropertyValue("--row-height"));
    this.headHeight = this.head.parentElement.offsetHeight;
    this.visible = Math.max(1, Math.floor((this.scroller.clientHeight - this.headHeight) / this.rowHeight));
    this.scroller.style.setProperty("--rows", String(Math.min(Math.max(this.order.length, 1), 16)));
    const height = Math.min(this.order.length * this.rowHeight + this.headHeight, TALLEST);
    this.box.style.height = `${height}px`;
    this.frame.style.height = `${Math.min(height, this.scroller.clientHeight)}px`;
    this.#scrollTo(this.first);
  }

  // Scrolling

  get #lastFirst() {
    return Math.max(0, this.order.length - this.visible);
  }

  get #scrollRoom() {
    return Math.max(1, this.box.clientHeight - this.scroller.clientHeight);
  }

  #firstOf(scrollTop) {
    return Math.min(this.#lastFirst, Math.round((scrollTop / this.#scrollRoom) * this.#lastFirst));
  }

  #scrollTo(first) {
    this.first = Math.min(Math.max(0, first), this.#lastFirst);
    this.scroller.scrollTop = this.#lastFirst ? (this.first / this.#lastFirst) * this.#scrollRoom : 0;
    this.scrolledTo = this.scroller.scrollTop;
    this.draw();
  }

  #draw() {
    const rows = [];
    for (let at = this.first; at < Math.min(this.first + this.visible + 1, this.order.length); at += 1)
      rows.push(this.#row(at));
    const hadFocus = this.body.contains(document.activeElement);
    this.body.replaceChildren(...rows);
    if (!rows.length)
      this.body.append(
        element("tr", { className: "empty" }, element("td", { colSpan: this.shown.length }, "No call fits.")),
      );
    if (hadFocus) this.#focus();
  }

  #row(at) {
    const row = this.order[at];
    const made = element(
      "tr",
      {
        role: "row",
        className: `${this.calls.field("status", row)} ${STATUS_TONES[this.calls.field("status", row)]}`,
        tabIndex: at === this.active ? 0 : -1,
        ariaRowIndex: String(at + 2),
      },
      ...this.cells(row),
    );
    made.dataset.at = String(at);
    return made;
  }

  // Keys

  #key(event) {
    if (!this.body.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + this.visible,
      PageUp: this.active - this.visible,
      Home: 0,
      End: this.order.length - 1,
    }[event.key];
    if (to !== undefined) this.#go(to);
    else if (event.key === "Enter" || event.key === " ") this.#open();
    else return;
    event.preventDefault();
  }

  #go(to) {
    this.active = Math.min(Math.max(0, to), this.order.length - 1);
    if (this.active < this.first) this.#scrollTo(this.active);
    else if (this.active >= this.first + this.visible) this.#scrollTo(this.active - this.visible + 1);
    this.#draw();
    this.#focus();
  }

  #focus() {
    this.body.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }

  #open() {
    if (this.order.length) this.details.show(this.order[this.active], this.order);
  }

  #afterDetails() {
    if (this.details.order !== this.order) return;
    this.#go(this.order.indexOf(this.details.row));
  }
}
