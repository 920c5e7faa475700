"use strict";
// Draws what a report embeds: the map of instructions, the lengths, what limits would drop.
// Nothing is fetched; every control works by keyboard, and each result is said in a live region.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const looks = data.looks.map(([path, colour, dash]) => ({ mark: new Path2D(path), colour, dash }));
  const number = (n) => Math.round(n).toLocaleString("en-US");
  const share = (n, all) => (all ? `${number(n)} (${((100 * n) / all).toFixed(1)} %)` : "0");
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function column(name, Type) {
    const text = atob(data.rows.columns[name]);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Type(bytes.buffer);
  }

  // ---- the map ----
  const canvas = byId("map");
  const said = byId("map-said");
  const points = data.map.source.length;
  const shown = new Uint8Array(points).fill(1);
  const px = new Float32Array(points);
  const py = new Float32Array(points);
  const lower = data.map.texts.map((text) => text.toLowerCase());
  const origin = { left: 0, top: 0, scale: 1 };
  let at = -1; // the point that is spoken of

  function place() {
    if (!canvas) return; // a single instruction has no map
    const width = canvas.clientWidth;
    const height = Math.round(Math.min(width * 0.72, 640));
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const side = 14;
    const scale = Math.min((width - 2 * side) / data.map.width, (height - 2 * side) / data.map.height);
    const left = (width - scale * data.map.width) / 2;
    const top = (height - scale * data.map.height) / 2;
    Object.assign(origin, { left, top, scale });
    for (let i = 0; i < points; i++) {
      px[i] = left + scale * data.map.x[i];
      py[i] = top + scale * data.map.y[i];
    }
    draw();
  }

  function draw() {
    if (!canvas) return;
    const ratio = window.devicePixelRatio || 1;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = style("--card");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const small = canvas.clientWidth < 600;
    // as large as fits so many, so that 46 points are seen and 20,000 leave room
    const radius = Math.max(small ? 1 : 1.4, Math.min(small ? 4 : 5, 110 / Math.sqrt(points + 1)));
    pen.globalAlpha = points > 400 ? 0.6 : 0.85;
    // from a stride that visits every point once, so that no source hides the others
    let step = Math.max(1, Math.floor(points * 0.618));
    while (gcd(step, points) !== 1) step++;
    for (let n = 0, i = 0; n < points; n++, i = (i + step) % points) {
      if (!shown[i]) continue;
      const { mark, colour } = looks[data.map.source[i]];
      pen.setTransform((ratio * radius) / 5, 0, 0, (ratio * radius) / 5, ratio * px[i], ratio * py[i]);
      pen.fillStyle = colour;
      pen.fill(mark);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.globalAlpha = 1;
    landmarks(pen);
    if (at >= 0 && shown[at]) {
      pen.strokeStyle = style("--ink");
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(px[at], py[at], radius + 4, 0, 7);
      pen.stroke();
    }
  }

  function landmarks(pen) {
    if (shown.indexOf(0) >= 0) return; // of a part of the points the groups are others
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const taken = [];
    for (const { words, x, y } of data.map.landmarks) {
      const wide = pen.measureText(words).width / 2 + 4;
      const cx = Math.max(wide, Math.min(canvas.clientWidth - wide, origin.left + origin.scale * x));
      const cy = Math.max(10, origin.top + origin.scale * y - 18); // above its points
      // the larger group keeps its place; a label that would cover another is left out
      if (taken.some(([ox, oy, ow]) => Math.abs(ox - cx) < ow + wide && Math.abs(oy - cy) < 18)) continue;
      taken.push([cx, cy, wide]);
      pen.globalAlpha = 0.8;
      pen.fillStyle = style("--card");
      pen.fillRect(cx - wide, cy - 9, 2 * wide, 18);
      pen.globalAlpha = 1;
      pen.fillStyle = style("--ink");
      pen.fillText(words, cx, cy);
    }
  }

  const gcd = (a, b) => (b ? gcd(b, a % b) : a);

  function say(i) {
    if (i === at && !said.hidden) return;
    at = i;
    said.hidden = i < 0;
    if (i >= 0) {
      const head = document.createElement("b");
      head.textContent = data.sources[data.map.source[i]];
      said.replaceChildren(head, data.map.texts[data.map.text[i]]);
      const width = canvas.clientWidth;
      said.style.left = `${Math.max(0, Math.min(px[i] + 12, width - said.offsetWidth))}px`;
      const below = py[i] + 14;
      const fits = below + said.offsetHeight < canvas.clientHeight;
      said.style.top = `${fits ? below : Math.max(0, py[i] - said.offsetHeight - 14)}px`;
    }
    draw();
  }

  function nearest(x, y, limit, accept) {
    let best = -1;
    let least = limit * limit;
    for (let i = 0; i < points; i++) {
      if (!shown[i]) continue;
      const dx = px[i] - x;
      const dy = py[i] - y;
      const far = dx * dx + dy * dy;
      if (far < least && (!accept || accept(dx, dy))) [best, least] = [i, far];
    }
    return best;
  }

  const ways = {
    ArrowLeft: (dx, dy) => dx < -3 && -dx >= Math.abs(dy),
    ArrowRight: (dx, dy) => dx > 3 && dx >= Math.abs(dy),
    ArrowUp: (dx, dy) => dy < -3 && -dy >= Math.abs(dx),
    ArrowDown: (dx, dy) => dy > 3 && dy >= Math.abs(dx),
  };

  function pointed(event) {
    const box = canvas.getBoundingClientRect();
    say(nearest(event.clientX - box.left, event.clientY - box.top, 14));
  }

  function filter() {
    if (!canvas) return;
    const on = [...document.querySelectorAll("[data-source]")].map((box) => box.checked);
    const words = byId("map-words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = lower.map((text) => words.every((word) => text.includes(word)));
    let n = 0;
    for (let i = 0; i < points; i++) {
      shown[i] = on[data.map.source[i]] && fits[data.map.text[i]] ? 1 : 0;
      n += shown[i];
    }
    byId("map-count").textContent = `${number(n)} of ${number(points)} instructions shown`;
    if (at >= 0 && !shown[at]) say(-1);
    draw();
  }

  canvas?.addEventListener("pointermove", pointed);
  canvas?.addEventListener("pointerdown", pointed);
  canvas?.addEventListener("pointerleave", () => say(-1));
  canvas?.addEventListener("blur", () => say(-1));
  canvas?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return say(-1);
    if (event.key === "Home" || (event.key in ways && at < 0)) {
      event.preventDefault();
      return say(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e9));
    }
    if (!(event.key in ways)) return undefined;
    event.preventDefault();
    const next = nearest(px[at], py[at], 1e9, ways[event.key]);
    return next >= 0 ? say(next) : undefined;
  });
  for (const box of document.querySelectorAll("[data-source]")) box.addEventListener("change", filter);
  byId("map-words")?.addEventListener("input", filter);

  // ---- the lengths ----
  const n = data.rows.n;
  const source = column("source", Uint8Array);
  const isVideo = column("is_video", Uint8Array);
  const isText = column("is_text", Uint8Array);
  const allFrames = column("frames", Uint32Array);
  const seconds = column("durations_s", Float32Array);
  const words = column("n_words", Uint32Array);
  const textTokens = column("text_tokens", Uint32Array);
  const limits = { frames: byId("max-frames"), tokens: byId("max-tokens"), video: byId("video-frames") };

  function limit(name) {
    const value = Number(limits[name].value);
    return limits[name].value.trim() === "" || !(value >= 1) ? Infinity : value;
  }

  const framesOf = (i, cap) => (isVideo[i] ? Math.min(allFrames[i], cap) : allFrames[i]);

  const measures = {
    frames: { name: "frames, before any limit (a text: its pages)", of: (i) => allFrames[i], limit: "frames" },
    duration: { name: "seconds of video", of: (i) => seconds[i] },
    words: { name: "words a frame (texts)", of: (i) => (isText[i] && allFrames[i] ? words[i] / allFrames[i] : NaN) },
    text: { name: "text tokens", of: (i) => textTokens[i] },
  };
  for (const [family, each] of Object.entries(data.families)) {
    measures[`visual ${family}`] = { name: `visual tokens, ${family}`, of: (i, cap) => each * framesOf(i, cap) };
    measures[`all ${family}`] = { name: `text and visual tokens, ${family}`, limit: "tokens",
      of: (i, cap) => textTokens[i] + each * framesOf(i, cap) };
  }

  function chart() {
    const measure = measures[byId("measure").value];
    const log = byId("scale-log").checked;
    const cap = limit("video");
    const values = data.sources.map(() => []);
    for (let i = 0; i < n; i++) {
      const value = measure.of(i, cap);
      if (Number.isFinite(value)) values[source[i]].push(value);
    }
    for (const list of values) list.sort((a, b) => a - b);
    const used = values.map((list, s) => [list, s]).filter(([list]) => list.length);
    const said = byId("chart-said");
    if (!used.length) {
      byId("chart").replaceChildren();
      said.textContent = `No row has ${measure.name}.`;
      return;
    }
    // the paper's Fig. 3 leaves out the longest thousandth, which would stretch the axis
    const top = Math.max(1, ...used.map(([list]) => list[Math.ceil((list.length - 1) * 0.999)]));
    const least = Math.max(1, Math.min(...used.map(([list]) => list[0])));
    const bins = 40;
    const low = log ? Math.log10(least) : 0;
    const span = (log ? Math.log10(Math.max(top, least * 2)) : top + 1) - low;
    const binOf = (v) => Math.floor(((log ? Math.log10(Math.max(v, least)) : v) - low) / span * bins * 0.99999);
    const heights = used.map(([list]) => {
      const counts = new Array(bins).fill(0);
      for (const value of list) if (value <= top) counts[Math.max(0, Math.min(bins - 1, binOf(value)))]++;
      return counts.map((count) => (100 * count) / list.length);
    });
    const peak = rounded(Math.max(...heights.flat()) || 1);
    byId("chart").replaceChildren(histogram(measure, used, heights, { low, span, log, bins, peak }));
    const medians = used.map(([list, s]) => `\u2068${data.sources[s]}\u2069 ${number(list[list.length >> 1])}`);
    const left = used.reduce((sum, [list]) => sum + list.filter((v) => v > top).length, 0);
    said.textContent = `Medians: ${medians.join(", ")}.` +
      (left ? ` Longer rows that the picture leaves out: ${number(left)}.` : "");
    byId("chart").firstChild.setAttribute("aria-label", `Distribution of ${measure.name}. ${said.textContent}`);
  }

  // four steps to the top of the axis, each a number that one can read
  function rounded(value) {
    const power = 10 ** Math.floor(Math.log10(value / 4));
    return 4 * power * [1, 2, 2.5, 5, 10].find((step) => 4 * step * power >= value * 0.999);
  }

  function element(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function histogram(measure, used, heights, axis) {
    const width = Math.max(340, Math.min(960, byId("chart").clientWidth || 960));
    const [height, left, bottom, right] = [320, 46, 46, 12];
    const x = (bin) => left + (bin / axis.bins) * (width - left - right);
    const y = (value) => 10 + (1 - value / (axis.peak)) * (height - bottom - 10);
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    for (let step = 0; step <= 4; step++) {
      const value = (axis.peak * step) / 4;
      svg.append(element("line", { class: "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      svg.append(element("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" },
        String(Number(value.toPrecision(3)))));
    }
    for (const value of ticks(axis, width)) {
      const bin = (((axis.log ? Math.log10(value) : value) - axis.low) / axis.span) * axis.bins;
      svg.append(element("line", { class: "axis", x1: x(bin), x2: x(bin), y1: height - bottom, y2: height - bottom + 5 }));
      svg.append(element("text", { x: x(bin), y: height - bottom + 19, "text-anchor": "middle" }, value.toLocaleString("en-US")));
    }
    used.forEach(([, s], k) => {
      const corners = heights[k].map((h, bin) => `${x(bin)},${y(h)} ${x(bin + 1)},${y(h)}`).join(" ");
      const { colour, dash } = looks[s];
      svg.append(element("polygon", { points: `${x(0)},${y(0)} ${corners} ${x(axis.bins)},${y(0)}`, fill: colour, opacity: 0.16 }));
      svg.append(element("polyline", { points: corners, fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash }));
    });
    if (measure.limit && limit(measure.limit) < Infinity) {
      const value = limit(measure.limit);
      const bin = (((axis.log ? Math.log10(value) : value) - axis.low) / axis.span) * axis.bins;
      if (bin > 0 && bin < axis.bins) {
        svg.append(element("line", { class: "limit", x1: x(bin), x2: x(bin), y1: 10, y2: height - bottom }));
        const back = bin > axis.bins * 0.75;
        svg.append(element("text", { x: x(bin) + (back ? -5 : 5), y: 20, "text-anchor": back ? "end" : "start" }, `limit ${number(value)}`));
      }
    }
    svg.append(element("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, `${measure.name}${axis.log ? ", logarithmic" : ""}`));
    svg.append(element("text", { x: 12, y: (height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${(height - bottom) / 2})` }, "rows, % of the source"));
    return svg;
  }

  function ticks(axis, width) {
    const most = width < 500 ? 4 : 8;
    const out = [];
    if (axis.log) {
      const ends = [10 ** axis.low, 10 ** (axis.low + axis.span)];
      const leads = axis.span > 3 ? [1] : axis.span > 1.4 ? [1, 3] : [1, 2, 5];
      for (let power = Math.floor(axis.low); power <= axis.low + axis.span; power++)
        for (const lead of leads) out.push(lead * 10 ** power);
      return out.filter((v) => v >= ends[0] * 0.999 && v <= ends[1] * 1.001);
    }
    const rough = axis.span / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, [1, 2, 5, 10].find((lead) => lead * power >= rough) * power); // nobody has half a frame
    for (let value = 0; value <= axis.span; value += step) out.push(value);
    return out;
  }

  // ---- what limits would drop ----
  function drops() {
    const [mostFrames, mostTokens, cap] = [limit("frames"), limit("tokens"), limit("video")];
    const families = Object.entries(data.families);
    const zero = () => ({ n: 0, frames: 0, over: families.map(() => 0) });
    const found = data.sources.map(zero);
    const all = zero();
    for (let i = 0; i < n; i++) {
      const frames = framesOf(i, cap);
      const many = frames > mostFrames;
      for (const into of [found[source[i]], all]) {
        into.n++;
        if (many) into.frames++;
        families.forEach(([, each], f) => { if (many || textTokens[i] + each * frames > mostTokens) into.over[f]++; });
      }
    }
    const lines = data.sources.map((name, s) => [name, found[s]]);
    if (lines.length > 1) lines.push(["all", all]);
    const body = byId("drops").tBodies[0];
    const titles = [...byId("drops").tHead.rows[0].cells].map((cell) => cell.textContent);
    body.replaceChildren(...lines.map(([name, one]) => {
      const line = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      const cells = [number(one.n), share(one.frames, one.n), ...one.over.map((count) => share(count, one.n))];
      line.append(head, ...cells.map((text, c) => {
        const cell = document.createElement("td");
        cell.dataset.label = titles[c + 1];
        cell.className = "n";
        cell.textContent = text;
        return cell;
      }));
      return line;
    }));
    byId("drops-said").textContent = `Of ${number(all.n)} rows these limits would drop: ` +
      families.map(([family], f) => `${family} ${share(all.over[f], all.n)}`).join(", ") + ".";
  }

  function changed(event) {
    const range = event && document.querySelector(`input[type=range][data-for="${event.target.id}"]`);
    if (range) range.value = event.target.value || range.max;
    drops();
    chart();
  }

  for (const input of Object.values(limits)) input.addEventListener("input", changed);
  for (const range of document.querySelectorAll("input[type=range][data-for]"))
    range.addEventListener("input", () => {
      byId(range.dataset.for).value = range.value;
      drops();
      chart();
    });
  for (const button of document.querySelectorAll("button[data-preset]"))
    button.addEventListener("click", () => {
      const preset = data.presets[button.dataset.preset];
      limits.frames.value = preset.max_frames ?? "";
      limits.tokens.value = preset.max_tokens ?? "";
      for (const range of document.querySelectorAll("input[type=range][data-for]"))
        range.value = byId(range.dataset.for).value || range.max;
      drops();
      chart();
    });
  for (const control of document.querySelectorAll("#measure, [name=scale]")) control.addEventListener("change", chart);

  let width = 0;
  new ResizeObserver(() => {
    if (byId("chart").clientWidth === width) return;
    width = byId("chart").clientWidth;
    place();
    chart();
  }).observe(byId("chart"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  // paper is white: draw the map again with the colours of print, and once more afterwards
  matchMedia("print").addEventListener("change", draw);
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; draw(); });
  addEventListener("afterprint", draw);
  filter();
  place();
  drops();
  chart();
})();
