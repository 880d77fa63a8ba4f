// A row for each notebook, as the command's summary has it: of all calls, whatever the filters.

const EVENTS_TOLD = 3;

function showNotebooks(lanes, filters) {
  const withChained = lanes.some(({ chained }) => chained);
  const heads = [
    ["Notebook"],
    ["Calls", "count"],
    ...(withChained ? [["Chained", "count"]] : []),
    ["Errors", "count"],
    ["Warnings", "count"],
    ["First seen"],
    ["Last seen"],
    ["From"],
    ["Most frequent", "wide"],
  ];
  const rows = lanes.map((lane) => ({ lane, row: notebookRow(lane, withChained, filters) }));
  byId("notebooks").append(
    element(
      "thead",
      {},
      element("tr", {}, ...heads.map(([name, className = ""]) => element("th", { scope: "col", className }, name))),
    ),
    element("tbody", {}, ...rows.map(({ row }) => row)),
  );
  filters.onChange(() => {
    for (const { lane, row } of rows) {
      const isChosen = filters.state.lanes.includes(lane.at);
      row.classList.toggle("chosen", isChosen);
      row.querySelector("button").ariaPressed = String(isChosen);
    }
  });
}

function notebookRow(lane, withChained, filters) {
  const [address] = lane.addresses;
  const from = lane.addresses_count > 1 ? counted(lane.addresses_count, "address", "addresses") : (address ?? "–");
  const events = lane.events.slice(0, EVENTS_TOLD).map(([event, count]) => `${number(count)} ${event}`);
  const cells = [
    ["count", number(lane.calls)],
    ...(withChained ? [[lane.chained ? "count" : "count none", number(lane.chained), STATUS_WORDS.chained]] : []),
    [lane.errors ? "count" : "count none", number(lane.errors)],
    [lane.warnings ? "count attention" : "count none", number(lane.warnings)],
    ["time", minute(lane.first_seen)],
    ["time", minute(lane.last_seen)],
    ["from", from, lane.addresses.join("\n")],
    ["muted wide", events.join(", "), lane.events.map(([event, count]) => `${number(count)} ${event}`).join("\n")],
  ];
  const name = button(
    { className: "link", ariaPressed: "false", title: lane.role_arn ?? "" },
    () => filters.toggle("lanes", lane.at),
    laneMark(lane) ?? "",
    lane.label,
  );
  return element(
    "tr",
    { className: `${lane.kind} ${LANE_KINDS[lane.kind].tone}` },
    element("th", { scope: "row" }, name),
    ...cells.map(([className, text, title = ""]) => element("td", { className, title }, text)),
  );
}

const minute = (time) => (time ? plainTime(time).slice(0, 16) : "–");
