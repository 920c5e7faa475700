// What scrolls can be reached by the keyboard, the copy buttons of code are no landmarks, and short
// code such as an option is not broken at its hyphens.
const mend = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.setAttribute("role", "group");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, pre > code")) box.tabIndex = 0;
  for (const code of document.querySelectorAll(".md-typeset :not(pre) > code"))
    if (code.textContent.length < 25) code.style.whiteSpace = "nowrap";
};
new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("load", mend);
