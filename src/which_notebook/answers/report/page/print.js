// Paper: light, the whole head, and a bounded part of the table.

const PRINTED_CALLS = 100;

function preparePrint(table, timeline) {
  const page = document.documentElement;
  window.addEventListener("beforeprint", () => {
    page.classList.add("printing");
    const rows = table.order.slice(0, PRINTED_CALLS);
    const note =
      table.order.length > rows.length
        ? `The first ${number(rows.length)} of ${counted(table.order.length, "call")}; the file itself holds all.`
        : "";
    byId("print-table").replaceChildren(
      element(
        "table",
        { className: "plain" },
        element(
          "thead",
          {},
          element("tr", {}, ...table.shown.map((column) => element("th", { scope: "col" }, FIELDS[column]))),
        ),
        element("tbody", {}, ...Array.from(rows, (row) => element("tr", {}, ...table.cells(row)))),
      ),
      element("p", { className: "muted" }, note),
    );
    timeline.draw();
  });
  window.addEventListener("afterprint", () => {
    page.classList.remove("printing");
    byId("print-table").replaceChildren();
    timeline.draw();
  });
}
