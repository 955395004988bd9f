// Filters the entries of the ledger by a text, formulas as shown or typed, and by verdicts; opens the entry of the address.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form.filter");
  if (!form) return;
  const entries = [...document.querySelectorAll("article.entry")];
  const words = new Map(entries.map((e) => [e, `${e.textContent} ${e.dataset.typed}`.toLowerCase()]));
  const apply = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const boxes = [...form.querySelectorAll("[name=verdict]")];
    const chosen = new Set(boxes.filter((b) => b.checked).map((b) => b.value));
    let count = 0;
    for (const entry of entries) {
      entry.hidden = !(chosen.has(entry.dataset.verdict) && words.get(entry).includes(text));
      count += !entry.hidden;
    }
    for (const section of document.querySelectorAll("section")) {
      const inside = [...section.querySelectorAll("article.entry")];
      const others = section.querySelector("form.filter, figure");
      section.hidden = inside.length > 0 && !others && inside.every((e) => e.hidden);
    }
    form.querySelector("output").textContent = `${count} of ${entries.length} entries`;
  };
  const show = () => {
    const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const steps = entry && entry.matches("article.entry") && entry.querySelector("details");
    if (steps) steps.open = true;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  apply();
  show();
});
