// What was called, as bars: of what is left by the other filters. A bar is a filter itself.

const BARS_SHOWN = 8;

function showBars(calls, filters, lanes) {
  const labels = new Map(lanes.map((lane) => [lane.at, lane.label]));
  const lists = [
    {
      list: byId("services"),
      name: "services",
      counts: () => filters.serviceCounts,
      label: (code) => shortSource(calls.services.texts[code]),
    },
    {
      list: byId("events"),
      name: "events",
      counts: () => filters.eventCounts,
      label: (code) => calls.eventTexts[code],
    },
  ];
  filters.onChange(() => {
    const chosenLanes = filters.state.lanes.map((at) => labels.get(at));
    byId("bars-of").textContent = chosenLanes.length ? `by ${chosenLanes.join(", ")}` : "";
    for (const each of lists) showBarList(each, filters);
  });
}

function showBarList({ list, name, counts, label }, filters) {
  const all = Array.from(counts(), (count, code) => ({ code, count }))
    .filter(({ count }) => count)
    .sort((a, b) => b.count - a.count || compareNames(label(a.code), label(b.code)));
  const limit = list.dataset.all ? all.length : BARS_SHOWN;
  const most = all[0]?.count ?? 1;
  const bars = all.slice(0, limit).map(({ code, count }) => {
    const fill = element("span", { className: "fill" });
    fill.style.width = `${Math.max(0.5, (count / most) * 100)}%`;
    const isChosen = filters.state[name].includes(code);
    return element(
      "li",
      {},
      button(
        { className: "bar", ariaPressed: String(isChosen), title: label(code) },
        () => filters.toggle(name, code),
        element("span", { className: "bar-label" }, label(code)),
        element("span", { className: "track" }, fill),
        element("span", { className: "bar-count" }, number(count)),
      ),
    );
  });
  if (all.length > limit) {
    const rest = all.slice(limit).reduce((sum, { count }) => sum + count, 0);
    const more = button(
      { className: "link" },
      () => {
        list.dataset.all = "yes";
        showBarList({ list, name, counts, label }, filters);
      },
      `${number(all.length - limit)} more, ${counted(rest, "call")}`,
    );
    bars.push(element("li", {}, more));
  }
  if (!all.length) bars.push(element("li", { className: "muted" }, "No call is left by the filters."));
  keepingFocus(list, () => list.replaceChildren(...bars));
}

/** Let the keyboard stay where it was in a list that is made anew. */
function keepingFocus(list, change) {
  const had = list.contains(document.activeElement) ? document.activeElement.title : null;
  change();
  if (had) [...list.querySelectorAll("button")].find((each) => each.title === had)?.focus({ preventScroll: true });
}
