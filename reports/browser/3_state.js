// What is filtered and which answer is open, in the page's address and nowhere else.
const DIRECTIONS = ["fixed", "introduced", "still_wrong", "still_right", "gained", "lost", "differs", "flagged"];
const NAMES = { a: "answer", q: "search", s: "severity", c: "category", d: "way", w: "direction", r: "run", low: "low", high: "high", sure: "sure" };
let state = {};

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  state = {};
  for (const [short, name] of Object.entries(NAMES)) if (given.has(short)) state[name] = given.get(short);
}

function address(wanted = state) {
  const given = new URLSearchParams();
  for (const [short, name] of Object.entries(NAMES)) if (wanted[name]) given.set(short, wanted[name]);
  return "#" + given;
}

// Whether the address is one of the browser's: other parts of the page have places of their own.
const isOurs = () => location.hash === "#browser" || [...new URLSearchParams(location.hash.slice(1)).entries()].some(([key, value]) => key in NAMES && value);

function setState(changes) {
  Object.assign(state, changes);
  history.replaceState(null, "", address());
}

const compared = value => Number.parseFloat(String(value).replace("−", "-").replace(",", "."));

// The rows that the state asks for, in order.
function rowsOf(wanted) {
  const query = wanted.search ? normalise(wanted.search) : "", plain = (wanted.search || "").trim();
  const way = wanted.way ? book.ways.find(each => each.name === wanted.way) : null;
  if (wanted.way && !way) return [];
  const low = compared(wanted.low), high = compared(wanted.high), sure = compared(wanted.sure);
  const severity = book.severities.indexOf(wanted.severity), category = book.categories.indexOf(wanted.category);
  const found = [];
  for (let row = 0; row < book.size; row++) {
    if (wanted.severity && book.severity[row] !== severity) continue;
    if (wanted.category && book.category[row] !== category) continue;
    const score = book.scores[0][row];
    if (!Number.isNaN(low) && !(score !== null && score >= low)) continue;
    if (!Number.isNaN(high) && !(score !== null && score <= high)) continue;
    if (!Number.isNaN(sure) && book.confidence && !(book.confidence[row] !== null && book.confidence[row] <= sure)) continue;
    if (!goes(row, way, wanted)) continue;
    if (plain && !holds(row, query, plain)) continue;
    found.push(row);
  }
  return found;
}

function goes(row, way, wanted) {
  const runs = wanted.run ? [Number(wanted.run)] : book.runs.map((_, run) => run);
  const isFlagged = each => runs.some(run => each.flagged[run]?.[row]);
  const asked = wanted.direction;
  if (asked === "differs" && !differs(row)) return false;
  if (asked === "gained" || asked === "lost") {
    const moved = (change(row) ?? 0) * (book.side || 1);
    if (asked === "gained" ? !(moved > 1e-4) : !(moved < -1e-4)) return false;
  }
  const ways = way ? [way] : book.ways.filter(isFlag);
  if (["fixed", "introduced", "still_wrong"].includes(asked)) return ways.some(each => fate(each, row) === asked);
  if (asked === "still_right") return ways.every(each => fate(each, row) === asked);
  if (asked === "flagged") return ways.some(isFlagged);
  return !way || isFlagged(way);
}

function holds(row, query, plain) {
  if (book.ids[row] === plain) return true;
  if (!query) return false;
  const texts = [book.question[row], book.reference[row], ...book.answers.map(each => each[row])];
  return texts.some(number => normalisedText(number).includes(query));
}
