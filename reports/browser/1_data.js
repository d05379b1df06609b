// The columns of the page, unpacked once, and what they say of a row.
const said = JSON.parse(document.getElementById("browser-words").textContent);
const root = document.getElementById("browser");
let book = null;

const say = (key, values = {}) => {
  const words = said[document.documentElement.lang] || said.en;
  return (words["browser." + key] || key).replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
};

async function unpack() {
  const raw = atob(document.getElementById("answers-data").textContent.trim());
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  book = JSON.parse(await new Response(stream).text());
  book.size = book.ids.length;
  book.row = new Map(book.ids.map((id, row) => [id, row]));
  book.ways.forEach(way => {
    ["flagged", "absent"].forEach(name => { way[name] = way[name].map(rows => bits(rows, book.size)); });
  });
}

function bits(rows, size) {
  const found = new Uint8Array(size);
  rows.forEach(row => { found[row] = 1; });
  return found;
}

const textOf = number => book.texts[number];
const answerOf = (run, row) => textOf(book.answers[run][row]);
const differs = row => book.answers.some(each => each[row] !== book.answers[0][row]);
const isFlag = way => way.below === null;

// What became of an error between the second run and the first; null where one of them has no say.
function fate(way, row) {
  if (book.runs.length < 2 || way.absent[0][row] || way.absent[1][row]) return null;
  const ours = way.flagged[0][row], theirs = way.flagged[1][row];
  return ours ? (theirs ? "still_wrong" : "introduced") : theirs ? "fixed" : "still_right";
}

function change(row) {
  if (book.runs.length < 2) return null;
  const [ours, theirs] = book.scores;
  return ours[row] === null || theirs[row] === null ? null : ours[row] - theirs[row];
}

const shownNumber = value => (value === null ? "—" : value.toFixed(2).replace("-", "−"));
const severityName = number => say("severity." + book.severities[number]);

// An element with attributes and children; texts are always text.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter(each => each !== null && each !== undefined));
  return element;
}

function button(label, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", act);
  return element;
}
