// The embedded data: each column a list of texts, and for each row a number. See columns.py, which writes them.

/** Return what is embedded in the page under an id, and let go of its text. */
function embeddedJson(id) {
  const node = byId(id);
  const value = JSON.parse(node.textContent);
  node.remove();
  return value;
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Read numbers written seven bits to a byte (LEB128) into an array; times need more bits than `<<` has. */
function readNumbers(bytes, numbers) {
  let at = 0;
  for (let row = 0; row < numbers.length; row += 1) {
    let value = 0;
    let weight = 1;
    while (bytes[at] > 127) {
      value += (bytes[at] - 128) * weight;
      weight *= 128;
      at += 1;
    }
    numbers[row] = value + bytes[at] * weight;
    at += 1;
  }
  return numbers;
}

/** The smallest array that holds numbers up to a limit. */
function arrayFor(limit, length) {
  if (limit < 256) return new Uint8Array(length);
  return limit < 65536 ? new Uint16Array(length) : new Uint32Array(length);
}

/** A field: `texts[codes[row]]`, null where the call doesn't have it. */
class TextColumn {
  constructor(name, length) {
    const { texts, rows } = embeddedJson(`column-${name}`);
    // A text may have been written twice.
    const codeOf = new Map();
    const meant = new Uint32Array(texts.length + 1);
    this.texts = [null];
    texts.forEach((text, at) => {
      if (!codeOf.has(text)) codeOf.set(text, this.texts.push(text) - 1);
      meant[at + 1] = codeOf.get(text);
    });
    this.codes = arrayFor(this.texts.length, length);
    readNumbers(bytesOf(rows), new Uint32Array(length)).forEach((code, row) => {
      this.codes[row] = meant[code];
    });
  }

  text(row) {
    return this.texts[this.codes[row]];
  }
}

/** Times: `seconds[row]` since 1970, in their order. */
class TimeColumn {
  constructor(name, length) {
    const { texts, rows } = embeddedJson(`column-${name}`);
    this.seconds = readNumbers(bytesOf(rows), new Float64Array(length));
    let time = Date.UTC(2001, 0, 1) / 1000 - 730485 * DAY; // the year 1
    this.seconds.forEach((passed, row) => {
      time += passed;
      this.seconds[row] = time;
    });
    this.others = new Map();
    for (let at = 0; at < texts.length; at += 2) this.others.set(Number(texts[at]), texts[at + 1]);
  }

  text(row) {
    return this.others.get(row) ?? timeText(this.seconds[row]);
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Event ids: 16 bytes each, or the number of a text. */
class IdColumn {
  constructor(name) {
    const { texts, rows } = embeddedJson(`column-${name}`);
    this.others = texts;
    this.bytes = bytesOf(rows);
  }

  text(row) {
    const start = row * 16;
    let isOther = true;
    let text = "";
    for (let at = 0; at < 16; at += 1) {
      const byte = this.bytes[start + at];
      if (at < 12 && byte) isOther = false;
      if (at === 4 || at === 6 || at === 8 || at === 10) text += "-";
      text += HEX[byte];
    }
    return isOther ? this.others[Number.parseInt(text.slice(-8), 16) - 1] : text;
  }
}
