// The search: every word must occur in some field of the call, in any case. `field:word` looks into one field only,
// and `field:"text"` is exact. Since fields share their texts, each text is looked at once, however many calls have it.

const TERM = /(?:([a-z_]+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;

function termsOf(query) {
  return Array.from(query.matchAll(TERM), ([whole, field, quoted, word]) => {
    const known = field === undefined || field === "event" || field in FIELDS;
    const text = known ? (quoted === undefined ? word : unquoted(quoted)) : whole;
    return {
      field: known ? field : undefined,
      text: text.toLowerCase(),
      exact: known && field && quoted !== undefined,
    };
  });
}

function unquoted(text) {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

/** The term that finds exactly this text in a field. */
const exactTerm = (field, text) => `${field}:${JSON.stringify(text)}`;

class Search {
  #texts = {};

  constructor(calls) {
    this.calls = calls;
  }

  /** Return a mask of the rows that fit, or null where all do. */
  mask(query) {
    let mask = null;
    for (const term of termsOf(query)) {
      const found = this.#find(term);
      if (mask) for (let row = 0; row < mask.length; row += 1) mask[row] &= found[row];
      mask ??= found;
    }
    return mask;
  }

  #find({ field, text, exact }) {
    const { calls } = this;
    const mask = new Uint8Array(calls.length);
    const fits = exact ? (candidate) => candidate === text : (candidate) => candidate.includes(text);
    for (const [name, column] of Object.entries(calls.columns)) {
      if (field !== undefined && field !== name) continue;
      if (column instanceof TextColumn) markCodes(mask, column.codes, column.texts, fits);
      else if (field === name || couldBeIn(name, text, column)) markRows(mask, this.#rowTexts(name), fits);
    }
    if (field === undefined || field === "event") markCodes(mask, calls.events, calls.eventTexts, fits);
    return mask;
  }

  /** The texts of a field that differs in every row; made once, when first searched. */
  #rowTexts(name) {
    const { calls } = this;
    this.#texts[name] ??= Array.from({ length: calls.length }, (_, row) => calls.field(name, row).toLowerCase());
    return this.#texts[name];
  }
}

/** Whether a text can occur in times or ids, so that most searches don't go through all of them. */
function couldBeIn(name, text, column) {
  const alphabet = name === "event_time" ? /^[\dtz:.-]+$/ : /^[\da-f-]+$/;
  return alphabet.test(text) || (name === "event_id" && column.others.length > 0);
}

function markCodes(mask, codes, texts, fits) {
  const fitting = Uint8Array.from(texts, (text) => (text !== null && fits(text.toLowerCase()) ? 1 : 0));
  if (!fitting.includes(1)) return;
  for (let row = 0; row < mask.length; row += 1) mask[row] |= fitting[codes[row]];
}

function markRows(mask, texts, fits) {
  for (let row = 0; row < mask.length; row += 1) if (fits(texts[row])) mask[row] = 1;
}
