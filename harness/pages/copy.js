for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async event => {
    event.stopPropagation();
    const words = button.dataset.of ? document.getElementById(button.dataset.of).textContent : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const text = document.createElement("textarea");
      text.value = words;
      document.body.append(text);
      text.select();
      document.execCommand("copy");
      text.remove();
      button.focus();
    }
    button.classList.add("copied");
  });
}
