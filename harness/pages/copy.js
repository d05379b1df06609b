for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async event => {
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const text = document.createElement("textarea");
      text.value = button.dataset.copy;
      document.body.append(text);
      text.select();
      document.execCommand("copy");
      text.remove();
      button.focus();
    }
    button.classList.add("copied");
  });
}
