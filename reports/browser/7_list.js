// A list of which only what is seen is in the page.
const HEIGHT = 76;
let rows = [], chosen = -1, list = null, inner = null, frame = 0;

function makeList() {
  inner = make("div", { class: "rows" });
  list = make("div", { class: "list", tabindex: "0", role: "listbox", id: "answers-list", "aria-label": say("list") }, inner);
  list.addEventListener("scroll", () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); }); });
  return list;
}

function draw() {
  inner.style.height = rows.length * HEIGHT + "px";
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 3);
  const last = Math.min(rows.length, first + Math.ceil((list.clientHeight || 600) / HEIGHT) + 6);
  inner.replaceChildren(...rows.slice(first, last).map((row, at) => item(row, first + at)));
  if (chosen >= 0) list.setAttribute("aria-activedescendant", "row-" + chosen);
  else list.removeAttribute("aria-activedescendant");
}

function item(row, at) {
  const flags = book.runs.map((_, run) => book.ways.filter(way => isFlag(way) && way.flagged[run][row]).length);
  const question = textOf(book.question[row]).slice(0, 160);
  const element = make("div", { class: "row", role: "option", id: "row-" + at, "aria-selected": String(at === chosen), "aria-setsize": rows.length, "aria-posinset": at + 1, "data-id": book.ids[row] },
    make("div", { class: "head" }, make("span", { class: "severity " + book.severities[book.severity[row]] }, severityName(book.severity[row])),
      make("span", { dir: "ltr" }, book.scores.map(each => shownNumber(each[row])).join(" / ")),
      flags.some(Boolean) ? make("span", { class: "chip" }, say("flags", { n: flags.join(" / ") })) : null,
      make("bdi", { class: "soft" }, book.ids[row])),
    make("div", { class: "line", dir: directionOf(question), lang: book.language }, question));
  element.style.top = at * HEIGHT + "px";
  element.addEventListener("click", () => choose(at, true));
  return element;
}

function choose(at, open) {
  if (!rows.length) return;
  chosen = Math.min(Math.max(at, 0), rows.length - 1);
  const top = chosen * HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
  draw();
  if (open || state.answer) { setState({ answer: book.ids[rows[chosen]] }); showDetail(rows[chosen]); }
}

function showDetail(row) {
  document.getElementById("browser-detail").replaceChildren(detail(row));
}
