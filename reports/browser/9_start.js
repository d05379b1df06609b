// Opens the browser of answers, on demand or where the address asks for it, and hears the keys.
let opened = null;

function refresh() {
  fillFilters();
  rows = rowsOf(state);
  chosen = -1;
  const notice = document.getElementById("browser-notice");
  notice.textContent = say("count", { n: rows.length, all: book.size });
  const detailBox = document.getElementById("browser-detail");
  detailBox.replaceChildren();
  list.scrollTop = 0;
  if (state.answer) {
    const row = book.row.get(state.answer);
    if (row === undefined) notice.textContent = say("gone", { id: state.answer });
    else {
      chosen = rows.indexOf(row);
      if (chosen < 0) notice.textContent = say("filtered_out", { id: state.answer });
      else list.scrollTop = chosen * HEIGHT;
      showDetail(row);
    }
  }
  draw();
}

function build() {
  const help = make("p", { class: "note", id: "browser-help", hidden: true }, say("keys"));
  root.replaceChildren(makeFilters(), makeTools(), help, make("p", { id: "browser-notice", role: "status" }),
    make("div", { class: "panes" }, makeList(), make("div", { id: "browser-detail" })));
  refresh();
}

async function open() {
  root.textContent = say("opening");
  await unpack();
  loadGiven();
  readAddress();
  build();
  root.dataset.ready = "yes";
}

const ready = () => (opened ??= open().catch(error => { root.textContent = say("failed", { error: String(error) }); }));

function show() {
  return ready().then(() => root.scrollIntoView());
}

addEventListener("hashchange", () => {
  if (!isOurs()) return;
  if (!book) show();
  else { readAddress(); refresh(); root.scrollIntoView(); }
});

document.addEventListener("maqa-language", () => { if (book) build(); else invite(); });

document.addEventListener("keydown", event => {
  const typing = event.target.closest?.("input, textarea, select");
  if (!book || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing) return list.focus();
  if (typing) return;
  const acts = {
    j: () => choose(chosen + 1, false),
    k: () => choose(chosen - 1, false),
    "/": () => document.getElementById("filter-search").focus(),
    "?": () => { const help = document.getElementById("browser-help"); help.hidden = !help.hidden; },
  };
  if (event.target === list) {
    Object.assign(acts, {
      ArrowDown: acts.j, ArrowUp: acts.k, Home: () => choose(0, false), End: () => choose(rows.length - 1, false),
      Enter: () => { choose(Math.max(chosen, 0), true); document.getElementById("detail")?.focus(); },
    });
  } else if (event.key === "Enter" && event.target === document.body) acts.Enter = () => choose(Math.max(chosen, 0), true);
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
});

function invite() {
  root.replaceChildren(button(say("open"), show, { id: "browser-open" }));
}

invite();
if (isOurs()) show();
else if ("IntersectionObserver" in window) {
  const seen = new IntersectionObserver(entries => { if (entries.some(each => each.isIntersecting)) { seen.disconnect(); ready(); } }, { rootMargin: "200px" });
  seen.observe(root);
}
