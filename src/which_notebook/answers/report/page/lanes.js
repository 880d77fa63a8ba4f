// The lanes of the timeline and the rows of the notebooks' table: what needs attention first, handshakes last.

const LANE_ORDER = LANES.map(({ kind }) => kind);

const needsAttention = (kind) => LANE_KINDS[kind].tone === "attention";

/** Whether evidence only makes a lane's calls likely somebody's, so that nothing of it may look like an attributed one. */
const isDoubt = (kind) => LANE_KINDS[kind].tone === "doubt";

/** The lanes with their numbers and names, in their order. */
function orderedLanes(head) {
  return head.lanes
    .map((lane, at) => ({ ...lane, at, label: laneLabel(lane, head.several_roles) }))
    .sort((a, b) => LANE_ORDER.indexOf(a.kind) - LANE_ORDER.indexOf(b.kind) || compareNames(a.label, b.label));
}

function laneLabel(lane, severalRoles) {
  const name = LANE_KINDS[lane.kind].title ?? lane.name ?? "(no name)";
  const shown = isOfProfile(lane.kind) ? profileWords(name) : name;
  return severalRoles && lane.role_arn ? `${shown} (${roleWords(lane.role_arn)})` : shown;
}

const isOfProfile = (kind) => LANE_KINDS[kind].tone === "person";

/** A user profile and a notebook instance may have one name. */
const profileWords = (name) => `${name} (user profile)`;

/** The name under which the command keeps a lane's warnings. */
const warnedName = (lane) => (isOfProfile(lane.kind) ? `user profile ${lane.name}` : lane.name);

const { compare: compareNames } = new Intl.Collator("en", { numeric: true });

/** A symbol and a word for what isn't a notebook's lane, so that it isn't told by colour only. */
function laneMark(lane) {
  const { mark, spoken } = LANE_KINDS[lane.kind];
  if (!mark) return null;
  return element(
    "span",
    { className: "lane-mark" },
    mark,
    element("span", { className: "visually-hidden" }, spoken ? `${spoken}: ` : ""),
  );
}
