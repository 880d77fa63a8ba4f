// What speaks against an attribution, by kind, each with the call that shows it.

const WARNINGS_SHOWN = 5;

function showWarnings(head, calls, details) {
  byId("warnings-section").hidden = !head.signs.length;
  const kinds = new Map();
  for (const sign of head.signs) kinds.set(sign.kind, [...(kinds.get(sign.kind) ?? []), sign]);
  for (const [kind, signs] of kinds) {
    const list = element(
      "ul",
      { className: "warning-list" },
      ...signs.slice(0, WARNINGS_SHOWN).map((sign) => warningItem(sign, calls, details)),
    );
    byId("warnings").append(element("h3", {}, SIGN_WORDS[kind] ?? kind), list);
    if (signs.length > WARNINGS_SHOWN) {
      const more = button(
        { className: "link" },
        () => {
          more.remove();
          list.append(...signs.slice(WARNINGS_SHOWN).map((sign) => warningItem(sign, calls, details)));
        },
        `${number(signs.length - WARNINGS_SHOWN)} more`,
      );
      byId("warnings").append(more);
    }
  }
  if (head.warnings > head.signs.length) {
    byId("warnings").append(
      element(
        "p",
        { className: "muted" },
        `The logs show ${counted(head.warnings, "such event")}; what says the same of the same notebook is listed once.`,
      ),
    );
  }
}

function warningItem(sign, calls, details) {
  const link = button(
    { className: "link" },
    () => {
      const row = calls.rowOf(sign.event_id);
      if (row >= 0) details.show(row);
      else
        link.replaceWith(
          element(
            "span",
            { className: "muted" },
            "not among these calls: ",
            element("code", {}, `which-notebook event ${sign.event_id} SOURCE`),
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
      element("strong", {}, sign.notebook),
      " ",
      element("time", { className: "muted", dateTime: sign.event_time }, plainTime(sign.event_time)),
    ),
    element("p", {}, sentence(sign.text)),
    element("p", {}, link),
  );
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
