// The plan, what is selected, and small tools. Text enters the page only as text nodes: a hostile name
// stays a name. Times are seconds after the start of the plan.

const plan = JSON.parse(document.getElementById("plan-data").textContent);
const START_MS = Date.parse(plan.start);
const RAD = Math.PI / 180;
const METRES_PER_DEGREE = 111195; // mean sphere, for drawing
const OUTCOMES = ["served", "partly", "left out"];

const requestByName = new Map(plan.requests.map((r) => [r.name, r]));
const passById = new Map(plan.passes.map((p) => [p.id, p]));
const acquisitionsOf = groupBy(plan.acquisitions, (a) => a.request);
const products = plan.products ?? []; // a plan that was not flown has none
const productsOf = groupBy(products, (p) => p.acquisition);
const missed = new Map(Object.entries(plan.missed ?? {}));

// What the reader has chosen. `time` is the span the timeline shows; the map draws its tracks.
const state = {
  request: null,
  acquisition: null,
  time: [0, plan.span_s],
  filter: { text: "", outcomes: new Set(OUTCOMES), reason: "" },
};

function byId(id) {
  return document.getElementById(id);
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const k = key(item);
    if (!groups.has(k)) groups.set(k, []);
    groups.get(k).push(item);
  }
  return groups;
}

// el("td", {class: "number", onclick: f}, "text", node, [more]) makes an element.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return node;
}

function announce(what) {
  document.dispatchEvent(new Event(what));
}

function on(what, listener) {
  document.addEventListener(what, listener);
}

// Select a request, and of its acquisitions the given one or the first.
function select(request, acquisition = null) {
  state.request = request;
  state.acquisition = acquisition ?? (request && acquisitionsOf.get(request.name)?.[0]) ?? null;
  announce("selection");
}

function showTime(from_s, to_s) {
  const least = Math.min(plan.span_s, 20);
  const length = Math.min(Math.max(to_s - from_s, least), plan.span_s);
  const middle = (from_s + to_s) / 2;
  const start = Math.min(Math.max(middle - length / 2, 0), plan.span_s - length);
  state.time = [start, start + length];
  announce("time");
}

function matchesFilter(request) {
  const { text, outcomes, reason } = state.filter;
  if (!outcomes.has(request.outcome)) return false;
  if (reason && request.reason?.code !== reason) return false;
  if (!text) return true;
  const words = `${request.name} ${request.purpose ?? ""} ${request.kind} ${request.reason?.text ?? ""}`;
  return words.toLowerCase().includes(text.toLowerCase());
}

// ---- words ----

const NO_VALUE = "\u2013";
const numberFormats = new Map();

function number(value, digits = 0) {
  if (value === null || value === undefined) return NO_VALUE;
  if (!numberFormats.has(digits)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    numberFormats.set(digits, new Intl.NumberFormat("en-GB", options));
  }
  return numberFormats.get(digits).format(value).replace("-", "\u2212");
}

function degrees(value, digits = 1) {
  return value === null || value === undefined ? NO_VALUE : `${number(value, digits)}\u00b0`;
}

function isoAt(t_s) {
  return new Date(START_MS + t_s * 1000).toISOString();
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function dayText(t_s) {
  const date = new Date(START_MS + t_s * 1000);
  return `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function timeText(t_s) {
  return t_s === null || t_s === undefined ? NO_VALUE : isoAt(t_s).slice(0, 19).replace("T", " ");
}

function clockText(t_s) {
  return isoAt(t_s).slice(11, 19);
}

function durationText(seconds) {
  if (seconds < 120) return `${number(seconds, seconds < 20 ? 1 : 0)} s`;
  if (seconds < 7200) return `${number(seconds / 60, 0)} min`;
  return `${number(seconds / 3600, seconds % 3600 ? 1 : 0)} h`;
}

function outcomeClass(outcome) {
  return outcome.replace(" ", "-");
}

function chip(outcome) {
  const kind = outcomeClass(outcome);
  return el("span", { class: `chip ${kind}` }, el("i", { class: `mark ${kind}` }), outcome);
}

function pairs(entries) {
  return el("dl", { class: "pairs" }, entries.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]).flat());
}

function angleEntries(a) {
  return [
    ["Time", `${timeText(a.start_s)} UTC, ${durationText(a.end_s - a.start_s)}`],
    ["Satellite", a.satellite],
    ["Off-nadir", degrees(a.off_nadir_deg)],
    ["Roll, pitch", `${degrees(a.roll_deg)}, ${degrees(a.pitch_deg)}`],
    ["Incidence", degrees(a.incidence_deg)],
    ["Azimuth", degrees(a.azimuth_deg)],
    ["Sun elevation", degrees(a.sun_elevation_deg)],
    ["GSD", `${number(a.gsd_m, 2)} m`],
  ];
}

// ---- the box that follows the pointer ----

const tip = byId("tip");

function showTip(event, ...content) {
  tip.replaceChildren(...content.flat(2).filter(Boolean));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - width - 8);
  const below = event.clientY + 16;
  const top = below + height < innerHeight ? below : event.clientY - height - 12;
  tip.style.translate = `${Math.max(8, left)}px ${Math.max(8, top)}px`;
}

function hideTip() {
  tip.hidden = true;
}

// ---- drawing ----

let colours = null;

// The palette of page.css, read once for each colour scheme.
function theme() {
  if (colours) return colours;
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "ink", "soft", "rule", "faint", "accent", "focus", "served", "partly", "left-out",
    "halo", "sea", "land", "coast", "border", "graticule", "track-1", "track-2", "track-3", "track-4", "slew", "pass",
    "pass-line", "downlink", "eclipse", "shade", "battery", "limit", "sans", "serif"];
  colours = Object.fromEntries(names.map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
  return colours;
}

function outcomeColour(outcome) {
  return theme()[outcomeClass(outcome)];
}

// Fit a canvas to its box and the screen's resolution; returns its context in CSS pixels.
function prepare(canvas, height = null) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const tall = height ?? canvas.clientHeight;
  if (height !== null) canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(tall * ratio);
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, tall);
  return { c, width, height: tall };
}

// Run a drawing at most once a frame, however often it is asked for.
function oncePerFrame(draw) {
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  later.now = draw;
  return later;
}

// A served request is a disc, one in part a half-filled diamond, one left out a cross.
function drawMarker(c, outcome, x, y, r) {
  const colour = outcomeColour(outcome);
  c.lineJoin = "round";
  c.setLineDash([]);
  for (const [stroke, width] of [[theme().land, 3.4], [colour, 1.6]]) {
    c.strokeStyle = stroke;
    c.lineWidth = width;
    c.beginPath();
    if (outcome === "served") c.arc(x, y, r, 0, 2 * Math.PI);
    else if (outcome === "partly") diamond(c, x, y, r * 1.25);
    else cross(c, x, y, r * 0.85);
    c.stroke();
  }
  if (outcome === "left out") return;
  c.fillStyle = outcome === "served" ? colour : theme().land;
  c.fill();
  if (outcome === "served") return;
  c.beginPath();
  c.moveTo(x - r * 1.25, y);
  c.lineTo(x, y + r * 1.25);
  c.lineTo(x, y - r * 1.25);
  c.fillStyle = colour;
  c.fill();
}

function diamond(c, x, y, r) {
  c.moveTo(x - r, y);
  c.lineTo(x, y - r);
  c.lineTo(x + r, y);
  c.lineTo(x, y + r);
  c.closePath();
}

function cross(c, x, y, r) {
  c.moveTo(x - r, y - r);
  c.lineTo(x + r, y + r);
  c.moveTo(x + r, y - r);
  c.lineTo(x - r, y + r);
}

// Text with a halo in the colour behind it.
function haloText(c, text, x, y, colour, halo) {
  c.lineJoin = "round";
  c.lineWidth = 3;
  c.strokeStyle = halo;
  c.strokeText(text, x, y);
  c.fillStyle = colour;
  c.fillText(text, x, y);
}

// ---- pointers: drag, pinch, click, wheel, the same for map and timeline ----

// Calls moved(dx, dy, x, event), pinched(factor, x, y), clicked(x, y, event), hovered(x, y, event), left() and,
// once the last finger or button is up, released().
function followPointers(canvas, { moved, pinched, clicked, hovered, left, released }) {
  const down = new Map();
  let travelled = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (!down.size) travelled = 0;
    down.set(event.pointerId, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = down.get(event.pointerId);
    if (!before) return hovered(x, y, event);
    const gapBefore = spread(down);
    down.set(event.pointerId, [x, y]);
    const share = 1 / down.size;
    travelled += Math.hypot(x - before[0], y - before[1]);
    if (down.size === 2) pinched(spread(down) / Math.max(1, gapBefore), ...middle(down));
    if (travelled > 4) moved((x - before[0]) * share, (y - before[1]) * share, x, event);
  });
  const end = (event) => {
    if (!down.delete(event.pointerId)) return;
    if (event.type === "pointerup" && travelled <= 4 && !down.size) clicked(...place(event), event);
    if (!down.size) released?.(event);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") left(); // a finger leaves with every tap
  });
}

function spread(pointers) {
  if (pointers.size < 2) return 1;
  const [a, b] = [...pointers.values()];
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function middle(pointers) {
  const [a, b] = [...pointers.values()];
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

// Wheel zooms only where the reader is at work (focus, or Ctrl as for a pinch): elsewhere the page scrolls.
function followWheel(canvas, { zoomed, slid, refused }) {
  canvas.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const wanted = event.ctrlKey || event.metaKey || document.activeElement === canvas;
    if (!wanted && !(sideways && slid)) return refused?.();
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    if (sideways && slid) slid(event.deltaX);
    else zoomed(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
}
