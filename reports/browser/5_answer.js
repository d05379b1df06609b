// One question with every run's answer side by side: what was flagged, the words that fired, and what a reader says.
const FOLDED = 4000;
let diffing = false;

function flagChips(run, row) {
  const chips = book.ways.filter(way => isFlag(way) && way.flagged[run][row]).map(way =>
    make("span", { class: "chip", title: way.screening ? say("screening") : null }, way.name, way.screening ? " · " + say("screening") : ""));
  const box = make("p", { class: "chips" }, ...chips);
  if (!chips.length) box.append(make("span", { class: "soft" }, say("no_flags")));
  if (!book.marked[run]) box.append(make("small", {}, " " + say("no_spans")));
  return box;
}

// Parts of a text: marked where a flagged detector's span lies, the rest as it is.
function parts(text, spans) {
  const cuts = [...new Set([0, text.length, ...spans.flatMap(each => [each[3], each[4]])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, at) => {
    const start = cuts[at], over = spans.filter(each => each[3] <= start && each[4] >= end && each[4] > each[3]);
    const piece = text.slice(start, end);
    if (!over.length) return document.createTextNode(piece);
    return make("mark", { title: [...new Set(over.map(each => book.ways[each[0]].name + ": " + book.rules[each[1]]))].join("; ") }, piece);
  });
}

function textBox(text, content) {
  const box = make("div", { class: "text", dir: directionOf(text), lang: book.language });
  if (!text.trim()) box.append(make("span", { class: "empty" }, say("empty")));
  else if (text.length > FOLDED) {
    box.append(text.slice(0, FOLDED) + "…");
    const more = button(say("whole", { n: text.length }), () => { box.replaceChildren(...content()); more.remove(); });
    return make("div", {}, box, more);
  } else box.append(...content());
  return box;
}

const spansOf = (run, row, where) => (book.spans[run][row] || []).filter(each => each[2] === where && book.ways[each[0]].flagged[run][row]);

function answerBox(run, row) {
  const text = answerOf(run, row);
  const wanted = diffing && book.runs.length > 1;
  const against = answerOf(run === 0 ? 1 : 0, row);
  let note = null;
  const content = () => {
    if (!wanted) return parts(text, spansOf(run, row, 0));
    const { shown, bounded } = wordDiff(against, text);
    if (bounded) note.textContent = say("diff_bounded");
    return shown.map(([piece, own]) => (own && piece.trim() ? make("ins", {}, piece) : document.createTextNode(piece)));
  };
  note = make("small", {});
  return make("section", { class: "side", "aria-label": book.runs[run] },
    make("h3", {}, make("bdi", {}, book.runs[run]), " · " + shownNumber(book.scores[run][row])),
    flagChips(run, row), textBox(text, content), note, ...flagButtons(run, row));
}

function detail(row) {
  const own = change(row);
  const box = make("article", { class: "detail", id: "detail", tabindex: "-1", "aria-label": book.ids[row] });
  const sure = book.confidence && book.confidence[row] !== null ? say("sure_of", { n: book.confidence[row] }) : null;
  box.append(make("header", {},
    make("span", { class: "severity " + book.severities[book.severity[row]] }, severityName(book.severity[row])),
    make("bdi", {}, book.categories[book.category[row]]), make("bdi", { class: "soft" }, book.ids[row]),
    sure && make("span", { class: "soft" }, sure),
    own === null ? null : make("span", { dir: "ltr" }, book.metric + " " + (own > 0 ? "+" : "") + shownNumber(own))));
  const marks = where => book.runs.flatMap((_, run) => spansOf(run, row, where));
  for (const [key, number, where] of [["question", book.question[row], 1], ["reference", book.reference[row], 2]]) {
    const text = textOf(number);
    box.append(make("h3", {}, say(key)), textBox(text, () => parts(text, marks(where))));
  }
  if (book.runs.length > 1) {
    const tick = make("input", { type: "checkbox", id: "diffing" });
    tick.checked = diffing;
    tick.addEventListener("change", () => { diffing = tick.checked; showDetail(row); document.getElementById("diffing").focus(); });
    box.append(make("p", {}, make("label", {}, tick, " " + say("diff"))));
  }
  box.append(make("div", { class: "sides" }, ...book.runs.map((_, run) => answerBox(run, row))), ...readerForm(row));
  return box;
}
