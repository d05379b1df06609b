// What a reader says, kept in this browser under the runs' fingerprint, and the files of it.
const storageName = () => "maqa-review:" + book.fingerprint;
let given = {}, kept = true;

function loadGiven() {
  try { given = JSON.parse(localStorage.getItem(storageName()) || "{}"); } catch { kept = false; }
  if (!given || typeof given !== "object" || Array.isArray(given)) given = {};
}

function keep() {
  try { localStorage.setItem(storageName(), JSON.stringify(given)); } catch { kept = false; }
  const status = document.getElementById("browser-kept");
  if (status) status.textContent = keptWords();
}

const keptWords = () => (kept ? say("kept", { n: Object.keys(given).length }) : say("not_kept"));

function setGiven(row, change) {
  const id = book.ids[row], own = (given[id] ??= { flags: {} });
  change(own);
  if (own.better === undefined && !own.comment && !Object.keys(own.flags).length) delete given[id];
  keep();
}

function choice(label, pressed, act) {
  const found = button(label, () => {
    const on = found.getAttribute("aria-pressed") !== "true";
    act(on);
    found.parentElement.querySelectorAll("button").forEach(each => each.setAttribute("aria-pressed", each === found && on));
  }, { "aria-pressed": String(pressed) });
  return found;
}

function flagButtons(run, row) {
  return book.ways.filter(way => isFlag(way) && way.flagged[run][row]).map(way => {
    const key = run + " " + way.name, own = given[book.ids[row]]?.flags[key];
    const set = value => on => setGiven(row, each => { if (on) each.flags[key] = value; else delete each.flags[key]; });
    return make("p", { class: "rate", role: "group", "aria-label": way.name }, make("code", {}, way.name), " ",
      choice(say("agree"), own === "agree", set("agree")), choice(say("disagree"), own === "disagree", set("disagree")));
  });
}

function readerForm(row) {
  const own = given[book.ids[row]] || { flags: {} }, found = [];
  // Which of three is better is no preference between two, which is what a reader's file holds.
  if (book.runs.length === 2) {
    const set = value => on => setGiven(row, each => { if (on) each.better = value; else delete each.better; });
    found.push(make("p", { class: "rate", role: "group", "aria-label": say("better") }, say("better") + " ",
      ...book.runs.map((name, run) => choice(name, own.better === run, set(run))), choice(say("same"), own.better === "same", set("same"))));
  }
  const comment = make("textarea", { rows: "2", id: "comment", dir: "auto" });
  comment.value = own.comment || "";
  comment.addEventListener("input", () => setGiven(row, each => { each.comment = comment.value; }));
  found.push(make("p", {}, make("label", { for: "comment" }, say("comment")), comment));
  return found;
}

const REVIEW_COLUMNS = ["fingerprint", "rater", "id", "ask", "run", "detector", "value"];

function reviewRows(rater) {
  const rows = [];
  for (const id of book.ids) {
    const own = given[id];
    if (!own) continue;
    const row = (ask, run, detector, value) => rows.push({ fingerprint: book.fingerprint, rater, id, ask, run, detector, value });
    if (own.better !== undefined) row("better", "", "", own.better === "same" ? "same" : book.runs[own.better]);
    for (const key of Object.keys(own.flags).sort()) {
      const cut = key.indexOf(" ");
      row("flag", book.runs[key.slice(0, cut)], key.slice(cut + 1), own.flags[key]);
    }
    if (own.comment) row("comment", "", "", own.comment);
  }
  return rows;
}

const asLines = rows => rows.map(row => JSON.stringify(row) + "\n").join("");

// No cell begins as a formula does, whatever stands before its sign.
const cell = value => {
  const text = String(value ?? ""), inert = /^[\s\ufeff]*[=+\-@\t\r']/.test(text) ? "'" + text : text;
  return '"' + inert.replaceAll('"', '""') + '"';
};
const asCsv = (columns, rows) => "\ufeff" + [columns, ...rows.map(row => columns.map(name => row[name]))].map(line => line.map(cell).join(",") + "\r\n").join("");

function save(name, text, kind) {
  const link = make("a", { download: name }), where = URL.createObjectURL(new Blob([text], { type: kind }));
  link.setAttribute("href", where);
  link.click();
  setTimeout(() => URL.revokeObjectURL(where), 10000);
}

function filteredCsv(rows) {
  const columns = ["id", "severity", "category", "question", "reference"];
  book.runs.forEach((_, run) => columns.push(`run_${run + 1}`, `answer_${run + 1}`, `score_${run + 1}`, `flags_${run + 1}`));
  return asCsv(columns, rows.map(row => {
    const line = { id: book.ids[row], severity: book.severities[book.severity[row]], category: book.categories[book.category[row]],
      question: textOf(book.question[row]), reference: textOf(book.reference[row]) };
    book.runs.forEach((name, run) => {
      line[`run_${run + 1}`] = name;
      line[`answer_${run + 1}`] = answerOf(run, row);
      line[`score_${run + 1}`] = book.scores[run][row];
      line[`flags_${run + 1}`] = book.ways.filter(way => isFlag(way) && way.flagged[run][row]).map(way => way.name).join(" ");
    });
    return line;
  }));
}
