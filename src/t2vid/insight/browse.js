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
