// What scrolls can be reached by the keyboard, the copy buttons of code are no landmarks, and short
// code such as an option is not broken at its hyphens. A table that a phone would cut shows each
// row as a card, every cell after the name of its column.
const phone = matchMedia("(max-width: 44.9em)");
const stack = (box) => {
  const table = box.querySelector("table");
  const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  delete table.dataset.stacked;
  if (!phone.matches || box.scrollWidth <= box.clientWidth + 1) return;
  table.dataset.stacked = "";
  for (const row of table.tBodies[0].rows)
    [...row.cells].forEach((cell, at) => (cell.dataset.label = at && names[at] ? `${names[at]}: ` : ""));
};
const stackAll = () => document.querySelectorAll(".md-typeset__scrollwrap").forEach(stack);
const mend = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.setAttribute("role", "group");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, pre > code")) box.tabIndex = 0;
  for (const code of document.querySelectorAll(".md-typeset :not(pre) > code"))
    if (code.textContent.length < 25) code.style.whiteSpace = "nowrap";
};
new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("load", mend);
addEventListener("load", stackAll);
phone.addEventListener("change", stackAll);
