// What scrolls can be reached by the keyboard, the copy buttons of code are no landmarks, and short
// code such as an option is not broken at its hyphens, nor is a cell of a word or a number. A table
// that is cut gets closer; one that a phone would cut, or squeeze until it is longer than its rows
// are as cards, shows each row as a card, every cell after the name of its column.
const phone = matchMedia("(max-width: 44.9em)");
const fit = (box) => {
  const table = box.querySelector("table");
  const cut = () => box.scrollWidth > box.clientWidth + 1;
  for (const cell of table.querySelectorAll("td"))
    if (cell.textContent.length < 21) cell.style.whiteSpace = "nowrap";
  delete table.dataset.tight;
  delete table.dataset.stacked;
  if (cut() && !phone.matches) table.dataset.tight = "";
  if (!phone.matches) return;
  const [isCut, height] = [cut(), table.offsetHeight];
  const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  table.dataset.stacked = "";
  for (const row of table.tBodies[0].rows)
    [...row.cells].forEach((cell, at) => (cell.dataset.label = at && names[at] ? `${names[at]}: ` : ""));
  if (!isCut && table.offsetHeight > height) delete table.dataset.stacked;
};
const fitAll = () => document.querySelectorAll(".md-typeset__scrollwrap").forEach(fit);
const mend = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.setAttribute("role", "group");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, pre > code")) box.tabIndex = 0;
  for (const code of document.querySelectorAll(".md-typeset :not(pre) > code"))
    if (code.textContent.length < 25) code.style.whiteSpace = "nowrap";
};
new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("load", mend);
addEventListener("load", fitAll);
phone.addEventListener("change", fitAll);
// A line that was pasted into the search is looked for among the messages of errors, which other
// queries leave out ("err" marks them, see hooks.py). Signs would be the search's operators.
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.type === 2 && message.data.trim()) {
    const line = message.data.trim().replace(/^t2vid[\w. ]*: /, ""); // without the command or class before it
    const words = line.replace(/[^\p{L}\p{N}_\s]+|\b\d+\b/gu, " ").trim();
    const asked = /^(how|what|which|why|where|when|who|can|do|does|is|are)\b/i.test(line);
    const said = /[:;(]\s|\s(is|are|must|needs?|has|holds?|names?|takes?|cannot|was)\s/.test(message.data);
    const short = words.split(" ").length < 5;
    message = { ...message, data: words + (asked ? " -err" : said ? " +err" : short ? " -err" : "") };
  }
  return post.call(this, message, ...rest);
};
