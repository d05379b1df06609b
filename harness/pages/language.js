{
  const {languages, texts} = JSON.parse(document.getElementById("languages").textContent);
  const page = document.documentElement, button = document.getElementById("language"), codes = Object.keys(languages);
  const next = () => codes[(codes.indexOf(page.lang) + 1) % codes.length];
  const label = () => { button.textContent = languages[next()].name; button.lang = next(); };
  button.hidden = codes.length < 2;
  button.addEventListener("click", () => {
    page.lang = next();
    page.dir = languages[page.lang].dir;
    const said = texts[page.lang];
    const plain = document.createElement("textarea");
    document.querySelectorAll("[data-say]").forEach(each => { each.innerHTML = said[each.dataset.say]; });
    document.querySelectorAll("[data-say-on]").forEach(each => each.dataset.sayOn.split(";").forEach(part => {
      const [name, place] = part.split(" ");
      plain.innerHTML = said[place];
      each.setAttribute(name, plain.value);
    }));
    label();
    document.dispatchEvent(new CustomEvent("maqa-language", {detail: page.lang}));
  });
  label();
}
