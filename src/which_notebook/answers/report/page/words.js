// How numbers, times and statuses are said. All times are UTC, as in the logs.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// STATUSES, LANES and WARNINGS stand before this: the command's own tables.
const STATUS_WORDS = Object.fromEntries(STATUSES.map(({ name, meaning }) => [name, meaning]));
const STATUS_TONES = Object.fromEntries(STATUSES.map(({ name, tone }) => [name, tone]));
/** The statuses of calls that a name of the session's tells apart. */
const SHOWN_BY_SESSION = new Set(STATUSES.filter(({ bySession }) => bySession).map(({ name }) => name));
const LANE_KINDS = Object.fromEntries(LANES.map((lane) => [lane.kind, lane]));
const WARNING_WORDS = Object.fromEntries(WARNINGS.map(({ kind, title }) => [kind, title]));

const numberFormat = new Intl.NumberFormat("en");
const number = (value) => numberFormat.format(value);
const counted = (value, word, words = `${word}s`) => `${number(value)} ${value === 1 ? word : words}`;

const shortSource = (source) => source.replace(/\.amazonaws\.com$/, "");

/** The seconds since 1970 as CloudTrail writes a time. */
const timeText = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** A time as the tables show it: 2026-03-01 09:30:00. */
const plainTime = (text) => text.replace("T", " ").replace(/Z$/, "");

/** A time as a sentence shows it: 1 Mar 2026, 09:30. */
function spokenTime(seconds, withSeconds = false) {
  const at = new Date(seconds * 1000);
  const clock = at.toISOString().slice(11, withSeconds ? 19 : 16);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${clock}`;
}

/** A span as a sentence shows it, the date only once where it is one day. */
function spokenSpan(from, to) {
  const withSeconds = to - from < 10 * MINUTE;
  const [first, last] = [spokenTime(from, withSeconds), spokenTime(to, withSeconds)];
  const [day, clock] = last.split(", ");
  return first.startsWith(day) ? `${first} – ${clock}` : `${first} – ${last}`;
}

/** How long: 4 days 12 h. */
function duration(seconds) {
  if (seconds < MINUTE) return counted(Math.round(seconds), "second");
  if (seconds < HOUR) return counted(Math.round(seconds / MINUTE), "minute");
  if (seconds < 2 * DAY) return counted(Math.round(seconds / HOUR), "hour");
  return counted(Math.round(seconds / DAY), "day");
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${bytes < 10 && unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** A role's name, and its account where the ARN tells it. */
function roleWords(arn) {
  const [, , , , account] = arn.split(":");
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return account ? `${name} in ${account}` : name;
}
