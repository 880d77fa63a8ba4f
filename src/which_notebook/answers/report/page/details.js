// One call with all its fields.

const COPIED_FOR = 1500;

class Details {
  constructor(head, calls, filters, lanes) {
    Object.assign(this, { head, calls, filters });
    this.labels = new Map(lanes.map((lane) => [lane.at, lane.label]));
    this.dialog = byId("details");
    // A click beside the dialog lands on the dialog itself.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) this.#step(by);
    });
  }

  /** Show a call; `order`, rows in their order, lets go to the one before and after. */
  show(row, order = null) {
    Object.assign(this, { row, order });
    const { calls } = this;
    const status = calls.field("status", row);
    this.dialog.replaceChildren(
      element(
        "header",
        {},
        element("h2", { id: "details-title" }, calls.event(row)),
        button({ ariaLabel: "Close", className: "close" }, () => this.dialog.close(), "×"),
      ),
      element(
        "p",
        { className: "details-status" },
        element("strong", {}, this.labels.get(calls.lane[row])),
        ` – ${STATUS_WORDS[status] ?? status}`,
      ),
      ...this.#warnings(row),
      element("dl", {}, ...Object.keys(FIELDS).flatMap((name) => this.#field(name, row))),
      element(
        "footer",
        {},
        button({ disabled: !this.#neighbour(-1) }, () => this.#step(-1), "← Before"),
        button({ disabled: !this.#neighbour(1) }, () => this.#step(1), "After →"),
        this.#copyButton(row),
      ),
    );
    if (!this.dialog.open) this.dialog.showModal();
  }

  #field(name, row) {
    const text = this.calls.field(name, row);
    if (text === null) return [element("dt", {}, FIELDS[name]), element("dd", { className: "none" }, "–")];
    const only = button(
      { className: "link only", title: `Only calls with this: ${FIELDS[name]}` },
      () => {
        this.filters.change({ query: exactTerm(name, text) });
        this.dialog.close();
      },
      "only these",
    );
    return [element("dt", {}, FIELDS[name]), element("dd", {}, element("span", {}, text), only)];
  }

  #warnings(row) {
    const id = this.calls.field("event_id", row);
    return this.head.warning_list
      .filter((warning) => warning.event_id === id)
      .map((warning) => element("p", { className: "note" }, sentence(warning.text)));
  }

  #copyButton(row) {
    const copy = button(
      {},
      async () => {
        await navigator.clipboard.writeText(JSON.stringify(this.#plain(row), null, 2));
        copy.textContent = "Copied";
        setTimeout(() => (copy.textContent = "Copy as JSON"), COPIED_FOR);
      },
      "Copy as JSON",
    );
    // A browser may keep the clipboard from pages of a file.
    copy.hidden = !navigator.clipboard;
    return copy;
  }

  #plain(row) {
    return Object.fromEntries(Object.keys(FIELDS).map((name) => [name, this.calls.field(name, row)]));
  }

  #neighbour(by) {
    const at = this.order?.indexOf(this.row) ?? -1;
    return at >= 0 && at + by >= 0 && at + by < this.order.length ? { row: this.order[at + by] } : null;
  }

  #step(by) {
    const next = this.#neighbour(by);
    if (next) this.show(next.row, this.order);
  }
}
