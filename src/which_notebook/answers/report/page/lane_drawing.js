// One lane on its canvas. A bar stands for the calls of a few pixels' time; where no notebook is known it is a pin with
// a diamond for its head, and of a user profile one with a ring; where one is only likely the bar is hollow and hatched;
// errors hang below the line, the more of the calls the
// longer; warnings are triangles above.

const BIN = 5;
const ERRORS_HEIGHT = 6;
const DIAMOND = 3.5;
const RING = 2.5;
const TONES = { plain: "accent", person: "person", attention: "warning", faint: "faint", doubt: "muted" };

/** The colours of the style sheet, as they are at the moment. */
function currentColours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...Object.fromEntries(LANES.map(({ kind, tone }) => [kind, colour(TONES[tone])])),
    error: colour("ink"),
    warning: colour("warning"),
    line: colour("line"),
  };
}

/** Fit a canvas to its box; return its context, to draw in CSS pixels. */
function fitted(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = Math.min(window.devicePixelRatio || 1, 3);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return { context, width, height };
}

/** Draw counts by bin; `most` is what the full height stands for. */
function drawLane(canvas, { kind, counts, errors, warnings = [], most, colours }) {
  const { context, width, height } = fitted(canvas);
  const base = height - ERRORS_HEIGHT;
  const isPin = needsAttention(kind) || isOfProfile(kind);
  const room = base - (isPin ? 2 * DIAMOND + 1 : 4);
  context.fillStyle = colours.line;
  context.fillRect(0, base, width, 1);
  context.fillStyle = colours[kind];
  context.strokeStyle = colours[kind];
  for (let bin = 0; bin < counts.length; bin += 1) {
    if (!counts[bin]) continue;
    // The logarithm, so that a single call is seen beside a burst.
    const tall = Math.max(3, Math.round((room * Math.log1p(counts[bin])) / Math.log1p(most)));
    if (isPin) {
      context.fillRect(bin * BIN + 1, base - tall, BIN - 3, tall);
      const [x, y] = [bin * BIN + BIN / 2 - 0.5, base - tall - 1];
      if (isOfProfile(kind)) drawRing(context, x, y - 1.5);
      else drawDiamond(context, x, y, LANE_KINDS[kind].mark === "◆");
    } else if (isDoubt(kind)) drawHollow(context, bin * BIN, base - tall, tall);
    else context.fillRect(bin * BIN, base - tall, BIN - 1, tall);
  }
  context.fillStyle = colours.error;
  for (let bin = 0; bin < errors.length; bin += 1) {
    if (errors[bin])
      context.fillRect(bin * BIN, base + 2, BIN - 1, Math.max(1.5, (ERRORS_HEIGHT - 2) * (errors[bin] / counts[bin])));
  }
  context.fillStyle = colours.warning;
  for (const x of warnings) drawTriangle(context, x, 0);
}

/** A bar's outline, crossed by lines. */
function drawHollow(context, x, y, tall) {
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, BIN - 2, tall - 1);
  context.beginPath();
  for (let across = y + 3; across < y + tall; across += 4) {
    context.moveTo(x + 0.5, across);
    context.lineTo(x + BIN - 1.5, Math.max(y, across - 3));
  }
  context.stroke();
}

function drawDiamond(context, x, y, full) {
  context.beginPath();
  context.moveTo(x, y - DIAMOND);
  context.lineTo(x + DIAMOND, y);
  context.lineTo(x, y + DIAMOND);
  context.lineTo(x - DIAMOND, y);
  context.closePath();
  if (full) context.fill();
  else context.stroke();
}

function drawRing(context, x, y) {
  context.beginPath();
  context.arc(x, y, RING, 0, 2 * Math.PI);
  context.stroke();
}

function drawTriangle(context, x, y) {
  context.beginPath();
  context.moveTo(x - 4, y);
  context.lineTo(x + 4, y);
  context.lineTo(x, y + 6);
  context.closePath();
  context.fill();
}
