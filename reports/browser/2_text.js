// Texts as they are compared, and the direction of their language. The table of letters is the package's own.
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/, LETTER = /\p{L}/u;
let units = null;
const normalised = [];

function table() {
  units = new Uint16Array(65536);
  for (let at = 0; at < 65536; at++) units[at] = at;
  for (const [start, end, value, step] of book.units)
    for (let at = start; at <= end; at++) units[at] = value + step * (at - start);
}

function normalise(text) {
  if (!units) table();
  const plain = text.normalize("NFKC"), found = new Uint16Array(plain.length);
  let size = 0;
  for (let at = 0; at < plain.length; at++) {
    const unit = units[plain.charCodeAt(at)];
    if (unit) found[size++] = unit;
  }
  let out = new TextDecoder("utf-16le").decode(found.subarray(0, size));
  if (/[\ud800-\udfff]/.test(out)) out = (out.match(/[\p{L}\p{N}]+/gu) || []).join(" ");
  return out.split(/\s+/).filter(Boolean).join(" ");
}

const normalisedText = number => (normalised[number] ??= normalise(textOf(number)));

// The direction of most words; the language's own where there are as many of either.
function directionOf(text) {
  let rtl = 0, all = 0;
  for (const word of text.slice(0, 20000).split(/\s+/)) {
    const letter = word.match(LETTER);
    if (!letter) continue;
    all += 1;
    rtl += RTL.test(letter[0]);
  }
  return 2 * rtl === all ? book.direction : 2 * rtl > all ? "rtl" : "ltr";
}
