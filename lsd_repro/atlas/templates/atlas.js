"use strict";
// Without it the page is whole, and only longer.
const at = (id) => document.getElementById(id);
const controls = at("controls"), search = at("search"), order = at("order"), list = at("dreams"), large = at("large");
const cards = Array.from(list.children);
const known = new Map(cards.map((card) => [card, card.dataset.words.split(" ")]));
const axes = Array.from(controls.querySelectorAll("[data-axis]"));
let shown = cards, current = 0;

// A word is found by its beginning; a number, and a setting such as seed=1, only whole.
function fits(words, token) {
  const whole = token.includes("=") || /^[\d.]+$/.test(token);
  return words.some((word) => whole ? word === token : word.startsWith(token));
}

function update() {
  const tokens = search.value.toLowerCase().split(/\s+/)
    .flatMap((word) => word.includes("=") ? [word] : word.split(/[,;&+"'()]+/)).filter(Boolean);
  const wanted = axes.filter((axis) => axis.value).map((axis) => [`axis${axis.dataset.axis}`, axis.value]);
  shown = [];
  const ordered = order.value ? cards.slice().sort((a, b) => b.dataset.logit - a.dataset.logit) : cards;
  for (const card of ordered) {
    const fit = wanted.every(([axis, value]) => card.dataset[axis] === value)
      && tokens.every((token) => fits(known.get(card), token));
    card.hidden = !fit;
    if (fit) shown.push(card);
  }
  list.append(...ordered);
  at("count").value = `${shown.length} of ${cards.length}`;
  at("nothing").hidden = shown.length > 0;
}

function show(index) {
  current = (index + shown.length) % shown.length;
  const card = shown[current], picture = card.querySelector("a");
  const image = large.querySelector("img"), thumbnail = card.querySelector("img");
  image.src = picture.href;
  image.alt = thumbnail.alt;
  image.width = thumbnail.width;
  at("large-title").textContent = card.querySelector("h2").textContent;
  large.querySelector(".about").replaceChildren(card.querySelector("dl").cloneNode(true));
  if (!large.open) large.showModal();
}

list.addEventListener("click", (event) => {
  const link = event.target.closest("li > a");
  // With a key held the browser opens the picture in a tab of its own.
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(shown.indexOf(link.parentElement));
});
large.addEventListener("click", (event) => {
  const go = event.target.dataset.go;
  if (event.target === large || go === "0") large.close();
  else if (go) show(current + Number(go));
});
large.addEventListener("keydown", (event) => {
  const go = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (go) show(current + go);
});
large.addEventListener("close", () => shown[current].querySelector("a").focus());
for (const change of ["input", "change"]) controls.addEventListener(change, update);
controls.addEventListener("reset", () => setTimeout(update));
controls.addEventListener("submit", (event) => event.preventDefault());
controls.hidden = false;
update();
