"use strict";
// What comes over the WebSocket: pictures as bytes (the first says of what), the state as JSON.
// All text goes into textContent: whatever people call themselves, it is never HTML.

const FILM = 0, HISTORY = 1000, COMPLETIONS = 7;
const at = id => document.getElementById(id);
let socket = null, retry = 500, state = {}, trace = [], classes = [];

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { retry = 500; trace = []; };
  socket.onmessage = ({data}) => {
    if (typeof data === "string") {
      const {state: news, note} = JSON.parse(data);
      if (news) show(news);
      if (note !== undefined) say(note);
    } else {
      paint(new Uint8Array(data, 0, 1)[0] === FILM ? at("film") : at("next"), new Blob([new Uint8Array(data, 1)], {type: "image/jpeg"}));
    }
  };
  socket.onclose = () => {
    veil("The connection is gone. Trying again…");
    setTimeout(connect, retry);
    retry = Math.min(2 * retry, 10000);
  };
}

function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// A picture that is still being decoded is finished first; of those that come meanwhile the last counts.
const waiting = new Map();
async function paint(canvas, blob) {
  const busy = waiting.has(canvas);
  waiting.set(canvas, blob);
  if (busy) return;
  while (waiting.get(canvas)) {
    const next = waiting.get(canvas);
    waiting.set(canvas, null);
    try {
      const image = await createImageBitmap(next);
      if (canvas.width !== image.width || canvas.height !== image.height) {
        canvas.width = image.width;
        canvas.height = image.height;
      }
      canvas.getContext("2d").drawImage(image, 0, 0);
      image.close();
      if (canvas.id === "film") { canvas.dataset.painted = Number(canvas.dataset.painted || 0) + 1; if (state.phase !== "paused") veil(""); }
    } catch (error) { console.warn("a picture that can't be read", error); }
  }
  waiting.delete(canvas);
}

function veil(text) {
  if (text) at("veil").textContent = text;
  at("veil").classList.toggle("gone", !text);
}

let quiet = null;
function say(text) {
  at("note").textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { at("note").textContent = ""; }, 8000);
}

function show(news) {
  const before = state.phase;
  state = news;
  for (const point of news.history) {
    if (!trace.length || point[0] > trace[trace.length - 1][0]) trace.push(point);
  }
  trace = trace.slice(-HISTORY);
  if (news.phase === "compiling") veil("Compiling: a minute or so the first time, seconds later on");
  else if (news.phase === "paused") veil("Paused");
  else if (!at("film").dataset.painted) veil("The first frame is being dreamt…");
  else if (before !== "dreaming") veil("");
  at("pause").textContent = news.phase === "paused" ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", news.phase === "paused");
  if (news.scene) {
    at("subject").textContent = news.scene[2] || "whatever it likes";
    at("progress").textContent = `frame ${news.done + 1}, step ${news.step} of ${news.steps}`;
    at("steps").max = news.steps;
    at("steps").value = news.step;
    at("hold").textContent = news.held > 0 ? `The next is chosen in ${Math.ceil(news.held)} s.` : "The next is chosen with the next frame.";
    at("rate").textContent = `a new frame every ${(news.k / 25).toFixed(1)} s`;
    follow("strength", news.strength, value => value.toFixed(1));
    follow("zoom", news.zoom, value => `${value.toFixed(1)}×`);
    list(news.waiting);
  }
  at("irc").textContent = news.irc || "";
  at("viewers").textContent = news.viewers === 1 ? "1 is watching" : `${news.viewers} are watching`;
  film(news.film);
  plot();
}

function list(messages) {
  at("waiting").replaceChildren(...(messages.length ? messages : [["nobody", "be the first"]]).map(([user, text]) => {
    const item = document.createElement("li"), name = document.createElement("span");
    name.textContent = `${user}: `;
    item.append(name, text);
    return item;
  }));
}

function film({share, url, error}) {
  at("save").disabled = share !== undefined;
  const place = at("film-state");
  if (share !== undefined) place.textContent = `Writing the film: ${Math.round(100 * share)} %`;
  else if (error) place.textContent = error;
  else if (url && place.dataset.url !== url) {
    const link = document.createElement("a");
    link.href = url;
    link.className = "button";
    link.textContent = "Download the film";
    place.replaceChildren(link);
  }
  place.dataset.url = url || "";
}

// A slider shows what is in force, except while it is being moved.
const moved = {};
function follow(name, value, words) {
  if (Date.now() - (moved[name] || 0) > 1500) at(name).value = value;
  at(`${name}-value`).textContent = words(Number(at(name).value));
}
for (const name of ["strength", "zoom"]) {
  let timer = null;
  at(name).addEventListener("input", () => {
    moved[name] = Date.now();
    at(`${name}-value`).textContent = Number(at(name).value).toFixed(1) + (name === "zoom" ? "×" : "");
    timer = timer || setTimeout(() => { timer = null; send({[name]: Number(at(name).value)}); }, 300);
  });
}

function plot() {
  const canvas = at("plot"), ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const draw = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw.clearRect(0, 0, width, height);
  draw.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  const half = height / 2;
  [["logit", 2, "--accent", 0], ["loss", 1, "--cool", half]].forEach(([name, column, colour, top]) => {
    const values = trace.map(point => point[column]);
    if (values.length < 2) return;
    const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
    const y = value => top + half - 7 - (half - 14) * (value - low) / span;
    const x = index => 40 + (width - 44) * index / (values.length - 1);
    draw.fillStyle = style.getPropertyValue("--soft");
    draw.textAlign = "right";
    draw.fillText(high.toFixed(1), 34, top + 12);
    draw.fillText(low.toFixed(1), 34, top + half - 5);
    draw.strokeStyle = style.getPropertyValue(colour);
    draw.lineWidth = 1.5;
    draw.lineJoin = "round";
    draw.beginPath();
    values.forEach((value, index) => draw.lineTo(x(index), y(value)));
    draw.stroke();
    at(name).textContent = values[values.length - 1].toFixed(2);
  });
}
window.addEventListener("resize", plot);

// Completion: terms that begin with what was typed, then those with a word that does, then those that contain it.
function completions(typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [];
  const found = [[], [], []];
  for (const terms of classes) {
    let best = null;
    terms.forEach((term, index) => {
      const lower = term.toLowerCase();
      const rank = lower.startsWith(wanted) ? 0 : lower.split(/[\s-]+/).some(word => word.startsWith(wanted)) ? 1 : lower.includes(wanted) ? 2 : 3;
      if (rank < 3 && (!best || rank < best.rank)) best = {rank, term, index};
    });
    if (best) found[best.rank].push(best.term);
  }
  return found.flat().slice(0, COMPLETIONS);
}

// What is half typed becomes the first completion; a word that many share stays, and is drawn by lot.
function finished(typed) {
  const lower = typed.toLowerCase();
  const known = classes.some(terms => terms.some(term => term.toLowerCase() === lower || term.toLowerCase().match(/[\w']+/g)?.includes(lower)));
  return known ? typed : completions(typed)[0] || typed;
}

function complete(input) {
  const listbox = at(`${input.id}-list`);
  let chosen = -1;
  const close = () => { listbox.hidden = true; chosen = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const take = item => { input.value = item.textContent; close(); input.focus(); };
  const mark = () => [...listbox.children].forEach((item, index) => {
    item.setAttribute("aria-selected", index === chosen);
    if (index === chosen) input.setAttribute("aria-activedescendant", item.id);
  });
  input.addEventListener("input", () => {
    const typed = input.value.trim().toLowerCase(), terms = completions(input.value);
    listbox.replaceChildren(...terms.map((term, index) => {
      const item = document.createElement("li"), start = term.toLowerCase().indexOf(typed), strong = document.createElement("b");
      strong.textContent = term.slice(start, start + typed.length);
      item.append(term.slice(0, start), strong, term.slice(start + typed.length));
      item.id = `${listbox.id}-${index}`;
      item.setAttribute("role", "option");
      item.addEventListener("pointerdown", event => { event.preventDefault(); take(item); });
      return item;
    }));
    chosen = -1;
    listbox.hidden = !terms.length;
    input.setAttribute("aria-expanded", String(!!terms.length));
  });
  input.addEventListener("keydown", event => {
    if (listbox.hidden) return;
    const count = listbox.children.length;
    if (event.key === "ArrowDown") chosen = (chosen + 1) % count;
    else if (event.key === "ArrowUp") chosen = (chosen + count - (chosen < 0 ? 0 : 1)) % count;
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) { take(listbox.children[chosen]); }
    else return;
    event.preventDefault();
    if (!listbox.hidden) mark();
  });
  input.addEventListener("blur", close);
}
complete(at("bottom"));
complete(at("top"));

at("user").value = localStorage.getItem("user") || "";
at("suggest").addEventListener("submit", event => {
  event.preventDefault();
  const parts = ["bottom", "top"].map(id => at(id).value.trim()).filter(Boolean).map(finished);
  if (!parts.length) { say("Name something to dream of."); at("bottom").focus(); return; }
  localStorage.setItem("user", at("user").value.trim());
  say("");
  send({say: parts.join("+"), user: at("user").value.trim()});
  at("bottom").value = at("top").value = "";
  document.activeElement.blur();
});
at("pause").addEventListener("click", () => send({pause: state.phase !== "paused"}));
at("save").addEventListener("click", () => send({film: true}));
at("full").addEventListener("click", () => document.fullscreenElement ? document.exitFullscreen() : at("film").parentElement.requestFullscreen());

fetch("vocabulary.json").then(answer => answer.json()).then(found => { classes = found; });
connect();
