// The timeline's axis: dates and times where there is room for them.

const YEAR = 364 * DAY; // of whole weeks
const TICK_STEPS = [
  ...[1, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 4, 7, 14, 28, 91, 182].map((days) => days * DAY),
  YEAR,
];
// A date needs less room than a date with a time.
const ROOM_FOR_DATE = 64;
const ROOM_FOR_TIME = 104;
const ROOM_FOR_LAST = 40;

/** Make the ticks of a span that is so many pixels wide, in a box of some width. */
function axisTicks([from, to], width, boxWidth) {
  const perPixel = (to - from) / Math.max(width, 1);
  const years = Math.ceil((perPixel * ROOM_FOR_TIME) / YEAR) * YEAR;
  const step = TICK_STEPS.find((each) => each >= perPixel * (each < DAY ? ROOM_FOR_TIME : ROOM_FOR_DATE)) ?? years;
  const ticks = [];
  for (let time = Math.ceil(from / step) * step; time < to; time += step) {
    const x = (time - from) / perPixel;
    if (x > width - ROOM_FOR_LAST) break;
    const isDay = time % DAY === 0;
    const isFirst = ticks.length === 0;
    const tick = element("span", { className: isDay || isFirst ? "tick day" : "tick" }, tickWords(time, step, isFirst));
    // Of the width, since on paper that is another.
    tick.style.left = `${(x / boxWidth) * 100}%`;
    ticks.push(tick);
  }
  return ticks;
}

function tickWords(time, step, isFirst) {
  const [date, clock] = spokenTime(time, step < MINUTE).split(", ");
  const day = step >= 91 * DAY ? date : date.replace(/ \d+$/, "");
  if (time % DAY === 0) return day;
  return isFirst ? `${day}, ${clock}` : clock;
}
