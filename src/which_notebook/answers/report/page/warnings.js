// The warnings, by kind, each with the call that shows it.

const WARNINGS_SHOWN = 5;

function showWarnings(head, calls, details) {
  byId("warnings-section").hidden = !head.warning_list.length;
  const kinds = new Map();
  for (const warning of head.warning_list) kinds.set(warning.kind, [...(kinds.get(warning.kind) ?? []), warning]);
  for (const [kind, warnings] of kinds) {
    const list = element(
      "ul",
      { className: "warning-list" },
      ...warnings.slice(0, WARNINGS_SHOWN).map((warning) => warningItem(warning, calls, details)),
    );
    byId("warnings").append(element("h3", {}, WARNING_WORDS[kind] ?? kind), list);
    if (warnings.length > WARNINGS_SHOWN) {
      const more = button(
        { className: "link" },
        () => {
          more.remove();
          list.append(...warnings.slice(WARNINGS_SHOWN).map((warning) => warningItem(warning, calls, details)));
        },
        `${number(warnings.length - WARNINGS_SHOWN)} more`,
      );
      byId("warnings").append(more);
    }
  }
  if (head.warnings > head.warning_list.length) {
    byId("warnings").append(
      element(
        "p",
        { className: "muted" },
        `The logs show ${counted(head.warnings, "such event")}; what says the same of the same notebook is listed once, and the earliest 1,000 at most.`,
      ),
    );
  }
}

function warningItem(warning, calls, details) {
  const link = button(
    { className: "link" },
    () => {
      const row = calls.rowOf(warning.event_id);
      if (row >= 0) details.show(row);
      else
        link.replaceWith(
          element(
            "span",
            { className: "muted" },
            "not among these calls: ",
            element("code", {}, `which-notebook event ${warning.event_id} SOURCE`),
          ),
        );
    },
    "Show the call",
  );
  return element(
    "li",
    {},
    element(
      "p",
      {},
      element("strong", {}, warning.notebook),
      " ",
      element("time", { className: "muted", dateTime: warning.event_time }, plainTime(warning.event_time)),
    ),
    element("p", {}, sentence(warning.text)),
    element("p", {}, link),
  );
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
