const slides = [...document.querySelectorAll("section")];
let now = 0;

// The largest letters with which a slide still fits, but none below 14 pixels: then it scrolls.
function fit(slide) {
  const body = slide.querySelector(".body");
  let size = Math.min(innerWidth / 40, innerHeight / 22);
  do body.style.fontSize = `${size}px`;
  while (slide.scrollHeight > slide.clientHeight && (size *= 0.95) > 14);
}

function show(k, write = true) {
  now = Math.max(0, Math.min(slides.length - 1, k));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  document.getElementById("place").textContent = `${now + 1} / ${slides.length}`;
  if (write) history.replaceState(null, "", `#${now + 1}`);
  fit(slides[now]);
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const focused = event.target.tagName === "SUMMARY";
  const moves = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1, Home: -Infinity, End: Infinity };
  if (!focused) moves[" "] = event.shiftKey ? -1 : 1;
  if (event.key in moves) show(now + moves[event.key]);
  else if (event.key === "n") document.body.classList.toggle("notes"), fit(slides[now]);
  else if (event.key === "p") document.body.classList.toggle("all");
  else return;
  event.preventDefault();
});
let touched = 0;
addEventListener("touchstart", event => { touched = event.touches[0].clientX; });
addEventListener("touchend", event => {
  const moved = event.changedTouches[0].clientX - touched;
  if (Math.abs(moved) > 60) show(now - Math.sign(moved));
});
slides.forEach(slide => slide.querySelectorAll("details").forEach(d => d.addEventListener("toggle", () => fit(slide))));
addEventListener("resize", () => fit(slides[now]));
addEventListener("hashchange", () => show(location.hash.slice(1) - 1, false));
show((parseInt(location.hash.slice(1)) || 1) - 1);
