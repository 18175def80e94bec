"use strict";
const find = document.querySelector("#find");
const rows = Array.from(document.querySelectorAll("tr.verdict"));
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/);
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});
document.body.classList.add("scripted");
