// The head: whose calls these are, of when, how many, and what they rest on.

const OFTEN_NONE = ["User profiles", "Unknown names"];

function showHead(head, calls, filters) {
  document.title = `${roleWords(head.role)} – which notebook made which call`;
  byId("role").textContent = roleWords(head.role).split(" in ")[0];
  byId("role").title = head.role;
  byId("range").textContent = rangeWords(head);
  showAsked(head);
  showFigures(head, filters);
  byId("sources").textContent =
    `Read from ${counted(head.files, "file")}, ${size(head.bytes)} when decompressed. All times are UTC.`;
  showNotices(head, calls);
  byId("key-person").hidden = !head.user_profiles;
  byId("made").textContent = `Written by which-notebook ${head.version} at ${plainTime(head.made)} UTC.`;
}

function rangeWords(head) {
  const arn = head.role.startsWith("arn:") ? `${head.role} · ` : "";
  if (!head.first_seen) return `${arn}no call found`;
  const [from, to] = [Date.parse(head.first_seen) / 1000, Date.parse(head.last_seen) / 1000];
  // A log may hold a 30th of February.
  if (Number.isNaN(from) || Number.isNaN(to))
    return `${arn}${plainTime(head.first_seen)} – ${plainTime(head.last_seen)} UTC`;
  return `${arn}${spokenSpan(from, to)} UTC · ${duration(to - from)}`;
}

function showAsked(head) {
  const asked = head.asked.map(([name, text]) => `${name} ${text}`.trim());
  if (head.since) asked.unshift(`since ${plainTime(head.since)}`);
  if (head.until) asked.push(`until ${plainTime(head.until)}`);
  byId("asked").hidden = asked.length === 0;
  byId("asked").textContent = `Only what was asked for: ${asked.join("; ")}.`;
}

function showFigures(head, filters) {
  const toCalls = (changes) => () => {
    filters.clear();
    filters.change(changes);
    byId("calls").scrollIntoView();
  };
  const ofStatus = (name, value, status) => {
    const kind = STATUS_TONES[status] === "attention" ? "attention" : "";
    return [name, value, toCalls({ status }), STATUS_WORDS[status], kind];
  };
  const figures = [
    ["Calls", head.calls, null, "Calls of the role; handshakes are counted apart"],
    ["Notebooks", head.notebooks],
    ofStatus("User profiles", head.user_profiles, "user-profile"),
    ofStatus("Unattributed", head.unattributed, "unattributed"),
    ofStatus("Unknown names", head.unknown_names, "unknown-name"),
    ["Errors", head.errors, toCalls({ errorsOnly: true }), "Calls that were refused or failed"],
    [
      "Warnings",
      head.warnings,
      () => byId("warnings-section").scrollIntoView(),
      "Reasons to doubt an attribution",
      "attention",
    ],
    ofStatus("Handshakes", head.handshakes, "handshake"),
  ];
  for (const [name, value, action, title = "", kind = ""] of figures) {
    if (OFTEN_NONE.includes(name) && !value) continue;
    const shown = action && value ? button({ title }, action, number(value)) : number(value);
    byId("figures").append(
      element("div", { className: value ? kind : "" }, element("dt", { title }, name), element("dd", {}, shown)),
    );
  }
}

/** Say what the page lacks: what couldn't be read, and what is beyond its limit. */
function showNotices(head, calls) {
  const total = head.calls + head.handshakes;
  if (head.held < total) {
    byId("notices").append(
      element(
        "p",
        { className: "note" },
        `The timeline, the bars and the table hold the oldest ${number(head.held)} of ${number(total)} calls; the rest is ` +
          "left out. Figures and notebooks above and below count all. " +
          `For the rest, ask again with --since ${calls.field("event_time", head.held - 1)}.`,
      ),
    );
  }
  for (const note of head.notes) byId("notices").append(element("p", { className: "note" }, sentence(note)));
  if (!head.skipped_count) return;
  const items = head.skipped.map(([file, reason]) => element("li", {}, element("code", {}, file), ` ${reason}`));
  const more = head.skipped_count - items.length;
  if (more) items.push(element("li", {}, `and ${number(more)} more`));
  byId("notices").append(
    element(
      "details",
      { className: "note", id: "skipped", ariaLabel: "What could not be read" },
      element(
        "summary",
        {},
        `${counted(head.skipped_count, "part")} of the logs could not be read; calls may be missing`,
      ),
      element("ul", {}, ...items),
    ),
  );
}
