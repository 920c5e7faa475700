let timer = null;
const turn = (show, step) => {
  const figures = [...show.querySelectorAll("figure")];
  const now = figures.findIndex((figure) => !figure.hidden);
  const next = (now + step + figures.length) % figures.length;
  figures[now].hidden = true;
  figures[next].hidden = false;
  show.querySelector("span").textContent = `${next + 1} / ${figures.length}`;
};
const stop = () => {
  clearInterval(timer);
  timer = null;
  const play = element.querySelector("[data-do=play]");
  if (play) play.textContent = "Play";
};
const act = (show, name) => {
  if (name !== "play") { stop(); turn(show, name === "on" ? 1 : -1); return; }
  if (timer) { stop(); return; }
  show.querySelector("[data-do=play]").textContent = "Stop";
  timer = setInterval(() => (show.isConnected ? turn(show, 1) : stop()), 700);
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button.closest(".t2v-show"), button.dataset.do);
});
element.addEventListener("keydown", (event) => {
  const show = event.target.closest(".t2v-show");
  const name = { ArrowLeft: "back", ArrowRight: "on" }[event.key];
  if (show && name) { event.preventDefault(); act(show, name); }
});
// Keys work anywhere but in fields, where the letters are needed.
const rows = () => [...document.querySelectorAll(".t2v-rows input[type=radio]")];
const page = () => document.querySelector(".t2v-pages input[type=number]")?.value;
let waiting; // for the rows of another page
const turnPage = (pager, toLast) => {
  const from = [page(), rows()[0]?.value];
  const click = () => document.getElementById(pager)?.click();
  let [tenths, still] = [0, 0];
  click();
  waiting = setInterval(() => {
    const all = rows();
    tenths += 1;
    if (all.length && all[0].value !== from[1]) {
      // a page fills by and by, and its first row is chosen for the reader
      if (toLast && !all.at(-1).checked) { still = 0; all.at(-1).click(); }
      else if (!toLast || ++still > 30) clearInterval(waiting);
    } else if (tenths > 300) clearInterval(waiting); // there is no other page
    else if (tenths % 30 === 0 && page() === from[0]) click(); // this one was still being filled
  }, 100);
};
const step = (by, pager) => {
  clearInterval(waiting);
  const all = rows();
  const next = all.findIndex((row) => row.checked) + by;
  if (next >= 0 && next < all.length) all[next].click();
  // the next page begins with the next row, and the one before ends with it
  else if (by > 0) turnPage(pager, false);
  else if (page() > 1) turnPage(pager, true);
};
document.addEventListener("pointerdown", () => clearInterval(waiting));
const keys = {
  j: () => step(1, "t2v-next"),
  k: () => step(-1, "t2v-back"),
  x: () => document.getElementById("t2v-mark")?.click(),
  p: () => element.querySelector("[data-do=play]")?.click(),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
  const act = keys[event.key.toLowerCase()];
  if (typing || !act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
