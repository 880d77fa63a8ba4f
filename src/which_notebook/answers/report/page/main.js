// Puts the parts together, and the form above the table to the filters.

function connectForm(filters, lanes) {
  const [search, status, errorsOnly] = [byId("search"), byId("status"), byId("errors-only")];
  const statuses = filters.calls.columns.status.texts.filter((text) => text !== null);
  status.append(
    element("option", { value: "" }, "Every status"),
    ...Object.keys(STATUS_WORDS)
      .filter((each) => statuses.includes(each))
      .map((each) => element("option", { value: each }, each)),
  );
  byId("calls-form").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", () => filters.change({ query: search.value }));
  status.addEventListener("change", () => filters.change({ status: status.value }));
  errorsOnly.addEventListener("change", () => filters.change({ errorsOnly: errorsOnly.checked }));
  filters.onChange(() => {
    const { state } = filters;
    if (search.value !== state.query) search.value = state.query;
    status.value = state.status;
    errorsOnly.checked = state.errorsOnly;
    const total = filters.calls.length;
    byId("calls-count").textContent =
      filters.rows.length === total
        ? counted(total, "call")
        : `${number(filters.rows.length)} of ${counted(total, "call")}`;
    byId("chips").replaceChildren(...chips(filters, lanes));
  });
}

/** Each filter in force, to be taken back. */
function chips(filters, lanes) {
  const { state, calls } = filters;
  const chip = (words, action) =>
    element(
      "li",
      {},
      button(
        { className: "chip", ariaLabel: `Remove the filter ${words}` },
        action,
        words,
        element("span", { ariaHidden: "true" }, " ×"),
      ),
    );
  const made = [
    ...state.lanes.map((at) => chip(lanes.find((lane) => lane.at === at).label, () => filters.toggle("lanes", at))),
    ...state.services.map((code) =>
      chip(shortSource(calls.services.texts[code]), () => filters.toggle("services", code)),
    ),
    ...state.events.map((code) => chip(calls.eventTexts[code], () => filters.toggle("events", code))),
  ];
  if (state.span) made.push(chip(spokenSpan(...state.span), () => filters.change({ span: null })));
  if (state.status) made.push(chip(state.status, () => filters.change({ status: "" })));
  if (state.errorsOnly) made.push(chip("errors only", () => filters.change({ errorsOnly: false })));
  if (state.query.trim()) made.push(chip(`“${state.query.trim()}”`, () => filters.change({ query: "" })));
  if (made.length > 1)
    made.push(
      element(
        "li",
        {},
        button({ className: "link" }, () => filters.clear(), "Clear all"),
      ),
    );
  return made;
}

function main() {
  const head = embeddedJson("head");
  const calls = new Calls(head);
  const filters = new Filters(calls);
  const lanes = orderedLanes(head);
  showHead(head, calls, filters);
  const timeline = new Timeline(byId("timeline"), head, calls, filters);
  showBars(calls, filters, lanes);
  showNotebooks(lanes, filters);
  const details = new Details(head, calls, filters, lanes);
  showWarnings(head, calls, details);
  connectForm(filters, lanes);
  const table = new CallsTable(byId("calls-table"), calls, filters, details, lanes);
  preparePrint(table, timeline);
  performance.mark("ready");
}

main();
