// What scrolls can be reached by the keyboard, and the copy buttons of code are no landmarks.
const mend = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.setAttribute("role", "group");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, pre > code")) box.tabIndex = 0;
};
new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("load", mend);
