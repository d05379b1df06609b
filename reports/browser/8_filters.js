// The filters, each tied to one part of the state.
function field(label, name, control) {
  control.id = "filter-" + name;
  control.dataset.filter = name;
  const given = control.tagName === "INPUT" ? "input" : "change";
  control.addEventListener(given, () => {
    setState({ [name]: control.value, answer: "" });
    clearTimeout(field.wait);
    field.wait = setTimeout(refresh, given === "input" ? 150 : 0);
  });
  return make("label", {}, make("span", {}, label), control);
}

const options = pairs => make("select", {}, make("option", { value: "" }, say("all")), ...pairs.map(([value, label]) => make("option", { value }, label)));

function makeFilters() {
  const two = book.runs.length > 1;
  const wayName = way => (isFlag(way) ? way.name + (way.screening ? " · " + say("screening") : "") : say("low", { metric: way.name.slice(4), value: way.below }));
  const directions = DIRECTIONS.filter(each => two || each === "flagged");
  const found = [
    field(say("search"), "search", make("input", { type: "search", dir: "auto", autocomplete: "off" })),
    field(say("severity"), "severity", options(book.severities.map((name, at) => [name, severityName(at)]))),
    field(say("category"), "category", options(book.categories.map(name => [name, name]))),
    field(say("detector"), "way", options(book.ways.map(way => [way.name, wayName(way)]))),
    field(say("direction"), "direction", options(directions.map(name => [name, say("direction." + name)]))),
  ];
  if (two) found.push(field(say("run"), "run", options(book.runs.map((name, run) => [String(run), name]))));
  for (const name of ["low", "high"]) found.push(field(say("score_" + name, { metric: book.metric }), name, make("input", { type: "number", step: "any" })));
  if (book.confidence) found.push(field(say("sure"), "sure", make("input", { type: "number", min: "0", max: "100" })));
  return make("div", { class: "filters", role: "search" }, ...found);
}

function fillFilters() {
  root.querySelectorAll("[data-filter]").forEach(each => { if (document.activeElement !== each) each.value = state[each.dataset.filter] || ""; });
}

function makeTools() {
  const name = make("input", { id: "rater", autocomplete: "name", maxlength: "80" });
  const rater = () => name.value.trim() || "reader";
  return make("details", { class: "tools" }, make("summary", {}, say("tools")),
    make("p", {}, button(say("download"), () => save("answers.csv", filteredCsv(rows), "text/csv"), { id: "save-rows" }), " ",
      button(say("clear"), () => { state = {}; setState({}); fillFilters(); refresh(); }, { id: "clear" })),
    make("p", {}, make("label", { for: "rater" }, say("rater")), " ", name),
    make("p", {}, button(say("save_jsonl"), () => save("review.jsonl", asLines(reviewRows(rater())), "application/jsonl"), { id: "save-jsonl" }), " ",
      button(say("save_csv"), () => save("review.csv", asCsv(REVIEW_COLUMNS, reviewRows(rater())), "text/csv"), { id: "save-csv" })),
    make("p", { class: "soft", id: "browser-kept", role: "status" }, keptWords()),
    make("p", { class: "soft" }, say("import")));
}
