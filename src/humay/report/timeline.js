// The timeline: for each satellite its lanes (imaging to eclipses) and under them the resource curves,
// all on one axis of time.

const LANES = [["imaging", 46], ["slews", 14], ["passes", 18], ["downlinks", 18], ["eclipses", 12]];
const BAR_ROOM = { imaging: 20 }; // the rest of a lane is for names
const TICKS_S = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

const overview = byId("time-overview");
const axisCanvas = byId("time-axis");
const blocks = plan.satellites.map((satellite) => ({ satellite, ...contentsOf(satellite) }));
let cursor = null; // seconds under the pointer
let marked = null; // [from, to] seconds while shift-dragging

// What is drawn for one satellite: bars by lane, curves with their limits.
function contentsOf(satellite) {
  const mine = (items) => items.filter((i) => i.satellite === satellite.name);
  const lanes = {
    imaging: mine(plan.acquisitions).map((a) => ({ from: a.start_s, to: a.end_s, acquisition: a })),
    slews: satellite.slews.map(([from, to, angle]) => ({ from, to, angle })),
    passes: mine(plan.passes).map((p) => ({ from: p.start_s, to: p.end_s, pass: p })),
    downlinks: mine(plan.downlinks).map((d) => ({ from: d.start_s, to: d.end_s, downlink: d })),
    eclipses: satellite.eclipses.map(([from, to]) => ({ from, to, eclipse: true })),
  };
  for (const bars of Object.values(lanes)) bars.sort((a, b) => a.from - b.from);
  return { lanes, plots: plotsOf(satellite) };
}

// ---- the axis ----

function gutter(width) {
  return width < 600 ? 92 : 122;
}

function timeScale(width) {
  const left = gutter(width), right = width - 10;
  const [from, to] = state.time;
  const perSecond = (right - left) / (to - from);
  return { left, right, perSecond, x: (t) => left + (t - from) * perSecond, t: (px) => from + (px - left) / perSecond };
}

function tickRoom(width) {
  return width < 600 ? 44 : 58;
}

function tickStep(perSecond, room) {
  return TICKS_S.find((s) => s * perSecond >= room) ?? TICKS_S.at(-1);
}

// Ticks lie on whole UTC hours and days, whenever the plan starts.
function ticks(step) {
  const start_s = (START_MS / 1000) % 86400;
  const [from, to] = state.time;
  const found = [];
  for (let i = Math.ceil((from + start_s) / step); i * step - start_s <= to; i++) found.push(i * step - start_s);
  return found;
}

function isMidnight(t) {
  return isoAt(t).slice(11, 19) === "00:00:00";
}

function drawAxis() {
  const { c, width, height } = prepare(axisCanvas);
  const scale = timeScale(width);
  const step = tickStep(scale.perSecond, tickRoom(width));
  c.textBaseline = "alphabetic";
  drawDays(c, scale);
  c.font = `11px ${theme().sans}`;
  c.textAlign = "center";
  for (const t of ticks(step)) {
    const px = scale.x(t);
    c.fillStyle = theme().rule;
    c.fillRect(px, height - 5, 1, 5);
    c.fillStyle = theme().soft;
    const covered = cursor !== null && Math.abs(scale.x(cursor) - px) < 58;
    if (step < 86400 && px < width - 14 && !covered) c.fillText(isoAt(t).slice(11, step < 60 ? 19 : 16), px, height - 8);
  }
  if (cursor !== null) drawCursorTime(c, scale, height);
}

// The name of each day over its part of the axis; that of the first stays in sight.
function drawDays(c, scale) {
  c.font = `600 12px ${theme().serif}`;
  c.textAlign = "left";
  const midnights = ticks(86400);
  const starts = midnights[0] === state.time[0] ? midnights : [state.time[0], ...midnights];
  starts.forEach((t, i) => {
    const px = scale.x(t), next = i + 1 < starts.length ? scale.x(starts[i + 1]) : scale.right;
    const text = dayText(t + 0.001);
    if (next - px < c.measureText(text).width + 8) return;
    c.fillStyle = theme().ink;
    c.fillText(text, px + (i || isMidnight(t) ? 3 : 0), 12);
    c.fillStyle = theme().rule;
    if (isMidnight(t)) c.fillRect(px, 0, 1, 14);
  });
}

function drawCursorTime(c, scale, height) {
  const text = clockText(cursor);
  c.font = `600 11px ${theme().sans}`;
  const half = c.measureText(text).width / 2 + 5;
  const px = Math.min(Math.max(scale.x(cursor), scale.left + half), scale.right - half);
  c.fillStyle = theme().ink;
  c.fillRect(px - half, height - 19, 2 * half, 15);
  c.fillStyle = theme().paper;
  c.textAlign = "center";
  c.fillText(text, px, height - 8);
}

// ---- one satellite ----

function blockHeight(block) {
  return LANES.reduce((sum, [, h]) => sum + h, 8) + block.plots.length * (PLOT_HEIGHT + PLOT_GAP) + 6;
}

function drawBlock(block) {
  if (!block.details.open) return;
  const { c, width, height } = prepare(block.canvas, blockHeight(block));
  const scale = timeScale(width);
  drawGrid(c, scale, height);
  drawEclipseShade(c, block, scale, height);
  block.hits = [];
  let top = 4;
  for (const [name, tall] of LANES) {
    drawLaneLabel(c, name, top, tall);
    clipped(c, scale, top - 4, tall + 8, () => drawLane(c, block, name, top, tall, scale));
    top += tall;
  }
  top += 8;
  for (const plot of block.plots) {
    drawPlot(c, plot, top, scale);
    top += PLOT_HEIGHT + PLOT_GAP;
  }
  if (marked) drawMarked(c, scale, height);
  if (cursor !== null) drawCursor(c, scale, height);
}

function clipped(c, scale, top, tall, draw) {
  c.save();
  c.beginPath();
  c.rect(scale.left, top, scale.right - scale.left, tall);
  c.clip();
  draw();
  c.restore();
}

function drawGrid(c, scale, height) {
  c.fillStyle = theme().faint;
  for (const t of ticks(tickStep(scale.perSecond, tickRoom(scale.right)))) c.fillRect(scale.x(t), 0, 1, height);
  c.fillStyle = theme().rule;
  for (const t of ticks(86400)) c.fillRect(scale.x(t), 0, 1, height);
}

function drawEclipseShade(c, block, scale, height) {
  c.fillStyle = theme().shade;
  for (const bar of inSight(block.lanes.eclipses)) {
    const from = Math.max(scale.left, scale.x(bar.from)), to = Math.min(scale.right, scale.x(bar.to));
    c.fillRect(from, 0, to - from, height);
  }
}

function drawLaneLabel(c, name, top, tall) {
  c.font = `11px ${theme().sans}`;
  c.textAlign = "left";
  c.textBaseline = "middle";
  c.fillStyle = theme().soft;
  c.fillText(name, 0, top + tall / 2);
}

function inSight(bars) {
  const [from, to] = state.time;
  return bars.filter((b) => b.to >= from && b.from <= to);
}

// Bars with their place in pixels: never thinner than 3, those that touch joined to one group.
function groupsOf(bars, scale, joined) {
  const groups = [];
  for (const bar of inSight(bars)) {
    const from = Math.round(scale.x(bar.from)), to = Math.max(scale.x(bar.to), from + 3);
    const last = groups.at(-1);
    if (last && from < last.to + joined) {
      last.bars.push({ ...bar, px: from, wide: to - from });
      last.to = Math.max(last.to, to);
    } else groups.push({ from, to, bars: [{ ...bar, px: from, wide: to - from }] });
  }
  return groups;
}

function drawLane(c, block, name, top, tall, scale) {
  const groups = groupsOf(block.lanes[name], scale, 1);
  const y = top + 3, h = (BAR_ROOM[name] ?? tall) - 6;
  for (const group of groups) {
    for (const bar of group.bars) {
      BAR_PAINTERS[name](c, bar, y, h);
      block.hits.push({ bar, left: bar.px, right: bar.px + bar.wide, top, bottom: top + tall });
    }
  }
  if (name === "imaging") nameImages(c, groups, y + h + 9, scale);
  if (name === "passes") for (const g of groups) namePasses(c, g, y, h);
}

const BAR_PAINTERS = {
  imaging(c, bar, y, h) {
    const request = requestByName.get(bar.acquisition.request);
    c.globalAlpha = request && !matchesFilter(request) ? 0.25 : 1;
    c.fillStyle = outcomeColour(request?.outcome ?? "served");
    c.fillRect(bar.px, y, bar.wide, h);
    c.globalAlpha = 1;
    if (bar.wide > 4) {
      c.fillStyle = theme().paper;
      c.fillRect(bar.px, y, 0.7, h);
    }
    if (request && request === state.request) markChosen(c, bar, y, h, bar.acquisition === state.acquisition);
  },
  slews(c, bar, y, h) {
    c.globalAlpha = bar.wide > 4 ? 0.75 : 0.5;
    c.fillStyle = theme().slew;
    c.fillRect(bar.px, y + 1, Math.max(1.5, bar.wide - 0.6), h - 2);
    c.globalAlpha = 1;
  },
  passes(c, bar, y, h) {
    c.fillStyle = theme().pass;
    c.strokeStyle = theme()["pass-line"];
    c.lineWidth = 1;
    c.fillRect(bar.px, y, bar.wide, h);
    c.strokeRect(bar.px + 0.5, y + 0.5, Math.max(bar.wide - 1, 1), h - 1);
    if (bar.pass.uplink && bar.wide > 6) drawUplink(c, bar.px + 5.5, y + h / 2);
  },
  downlinks(c, bar, y, h) {
    c.fillStyle = theme().downlink;
    c.fillRect(bar.px, y, bar.wide, h);
  },
  eclipses(c, bar, y, h) {
    c.fillStyle = theme().eclipse;
    c.fillRect(bar.px, y, bar.wide, h);
  },
};

function drawUplink(c, px, py) {
  c.beginPath();
  c.moveTo(px - 3, py + 3);
  c.lineTo(px + 3, py + 3);
  c.lineTo(px, py - 3);
  c.closePath();
  c.fillStyle = theme()["pass-line"];
  c.fill();
}

function markChosen(c, bar, y, h, first) {
  c.strokeStyle = theme().ink;
  c.lineWidth = first ? 2 : 1;
  c.strokeRect(bar.px - 1.5, y - 1.5, bar.wide + 3, h + 3);
}

// Under the bars, in two rows that never overlap: the name of one acquisition, or the number of several
// that lie too close to be told apart.
function nameImages(c, groups, y, scale) {
  c.font = `11px ${theme().sans}`;
  c.textAlign = "left";
  c.textBaseline = "middle";
  c.fillStyle = theme().soft;
  const ends = [-Infinity, -Infinity];
  for (const { at, text } of groups.flatMap(imageNames)) {
    const wide = c.measureText(text).width;
    const from = Math.max(scale.left, Math.min(at, scale.right - wide));
    const row = ends.findIndex((end) => end + 6 < from);
    if (row < 0) continue;
    ends[row] = from + wide;
    c.fillText(text, from, y + 12 * row);
  }
}

function imageNames(group) {
  if (group.bars.length === 1) return [{ at: group.bars[0].px, text: group.bars[0].acquisition.request }];
  const told = group.to - group.from > 5 * group.bars.length;
  if (told) return group.bars.map((bar) => ({ at: bar.px, text: bar.acquisition.request }));
  return [{ at: group.from, text: `\u00d7${group.bars.length}` }];
}

function namePasses(c, group, y, h) {
  c.font = `11px ${theme().sans}`;
  c.textAlign = "left";
  c.textBaseline = "middle";
  c.fillStyle = theme().ink;
  group.bars.forEach((bar, i) => {
    const from = Math.max(bar.px, 0) + (bar.pass.uplink ? 12 : 5);
    const end = Math.min(bar.px + bar.wide, group.bars[i + 1]?.px ?? Infinity);
    if (from + c.measureText(bar.pass.station).width < end - 3) c.fillText(bar.pass.station, from, y + h / 2 + 0.5);
  });
}

function drawCursor(c, scale, height) {
  c.fillStyle = theme().ink;
  c.globalAlpha = 0.5;
  c.fillRect(scale.x(cursor), 0, 1, height);
  c.globalAlpha = 1;
}

function drawMarked(c, scale, height) {
  const [a, b] = marked.map(scale.x);
  c.globalAlpha = 0.2;
  c.fillStyle = theme().focus;
  c.fillRect(Math.min(a, b), 0, Math.abs(b - a), height);
  c.globalAlpha = 1;
}

// ---- the overview ----

function overviewX(width, t) {
  const left = gutter(width);
  return left + (t / plan.span_s) * (width - 10 - left);
}

function overviewT(width, px) {
  const left = gutter(width);
  return ((px - left) / (width - 10 - left)) * plan.span_s;
}

function drawOverview() {
  const { c, width, height } = prepare(overview);
  const [from, to] = state.time.map((t) => overviewX(width, t));
  const left = gutter(width);
  c.fillStyle = theme().faint;
  c.fillRect(left, 0, width - 10 - left, height);
  c.fillStyle = theme().panel;
  c.fillRect(from, 0, to - from, height);
  const row = height / Math.max(1, blocks.length);
  blocks.forEach((block, i) => drawOverviewRow(c, block, i * row, row, width));
  c.strokeStyle = theme().accent;
  c.lineWidth = 1.5;
  c.strokeRect(from + 0.75, 0.75, Math.max(3, to - from - 1.5), height - 1.5);
  c.fillStyle = theme().accent;
  for (const px of [from, to]) c.fillRect(px - 2, height / 2 - 7, 4, 14);
  c.fillStyle = theme().soft;
  c.font = `11px ${theme().sans}`;
  c.textBaseline = "middle";
  c.fillText("overview", 0, height / 2);
}

function drawOverviewRow(c, block, top, row, width) {
  c.globalAlpha = 0.35;
  c.fillStyle = theme()["pass-line"];
  for (const b of block.lanes.passes) c.fillRect(overviewX(width, b.from), top + row * 0.65, Math.max(1, overviewX(width, b.to) - overviewX(width, b.from)), row * 0.2);
  c.globalAlpha = 1;
  c.fillStyle = theme().served;
  for (const b of block.lanes.imaging) c.fillRect(overviewX(width, b.from), top + row * 0.15, 2, row * 0.45);
}

// Drag the frame to move it, its sides to stretch it, elsewhere to centre it there.
function dragOverview() {
  let grip = null;
  overview.addEventListener("pointerdown", (event) => {
    const width = overview.clientWidth, px = event.offsetX;
    const [from, to] = state.time.map((t) => overviewX(width, t));
    if (Math.abs(px - from) < 9) grip = "from";
    else if (Math.abs(px - to) < 9) grip = "to";
    else grip = "move";
    if (grip === "move" && (px < from || px > to)) centreTime(overviewT(width, px));
    overview.setPointerCapture(event.pointerId);
  });
  overview.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const width = overview.clientWidth;
    const t = overviewT(width, event.offsetX);
    if (grip === "move") slideTime(event.movementX / (width - 10 - gutter(width)) * plan.span_s);
    else if (grip === "from") showTime(Math.min(t, state.time[1] - 20), state.time[1]);
    else showTime(state.time[0], Math.max(t, state.time[0] + 20));
  });
  for (const end of ["pointerup", "pointercancel"]) overview.addEventListener(end, () => { grip = null; });
}

// ---- moving in time ----

function zoomTime(factor, at = (state.time[0] + state.time[1]) / 2) {
  const [from, to] = state.time;
  const length = Math.min(Math.max((to - from) / factor, 20), plan.span_s);
  const share = (at - from) / (to - from);
  showTime(at - share * length, at + (1 - share) * length);
}

function slideTime(by_s) {
  showTime(state.time[0] + by_s, state.time[1] + by_s);
}

function centreTime(t) {
  const half = (state.time[1] - state.time[0]) / 2;
  showTime(t - half, t + half);
}

// Ten minutes round the selected acquisition.
function showInTimeline() {
  const a = state.acquisition;
  if (a) showTime(a.start_s - 300, a.end_s + 300);
  byId("timeline").scrollIntoView();
}

function timeKeys(event) {
  const length = state.time[1] - state.time[0];
  const actions = {
    ArrowLeft: () => slideTime(-length / 8), ArrowRight: () => slideTime(length / 8),
    "+": () => zoomTime(1.6), "=": () => zoomTime(1.6), "-": () => zoomTime(1 / 1.6),
    Home: () => showTime(0, plan.span_s), Escape: () => event.target.blur(),
  };
  if (event.ctrlKey || event.metaKey || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

// ---- the pointer ----

function barAt(block, px, py) {
  const gap = (hit) => Math.max(hit.left - px, px - hit.right, 0);
  const reachable = (block.hits ?? []).filter((h) => py >= h.top && py <= h.bottom && gap(h) < 6);
  return reachable.sort((a, b) => gap(a) - gap(b))[0]?.bar ?? null;
}

function barSummary(bar) {
  const when = `${timeText(bar.from)} to ${clockText(bar.to)} UTC, ${durationText(bar.to - bar.from)}`;
  if (bar.acquisition) return requestSummary(requestByName.get(bar.acquisition.request), bar.acquisition);
  if (bar.pass) return titled(`Pass over ${bar.pass.station}`, when, `highest ${degrees(bar.pass.max_elevation_deg)}${bar.pass.uplink ? ", commands can be sent" : ""}`);
  if (bar.downlink) return titled(`Downlink to ${bar.downlink.station}`, when, `${number(bar.downlink.gbit, 1)} Gbit`);
  if (bar.eclipse) return titled("Eclipse", when);
  return titled("Slew", when, bar.angle === null ? null : `turn of ${degrees(bar.angle)}`);
}

function titled(title, ...lines) {
  return [el("b", {}, title), lines.filter(Boolean).map((l) => el("div", {}, l))];
}

function watchBlock(block) {
  const scaleNow = () => timeScale(block.canvas.clientWidth);
  const inPlot = (px) => px >= scaleNow().left;
  followPointers(block.canvas, {
    moved(dx, _dy, px, event) {
      hideTip();
      if (event.shiftKey || marked) marked = [marked?.[0] ?? scaleNow().t(px - dx), scaleNow().t(px)];
      else slideTime(-dx / scaleNow().perSecond);
      drawTimeline();
    },
    pinched: (factor, px) => zoomTime(factor, scaleNow().t(px)),
    released() {
      if (marked && Math.abs(marked[1] - marked[0]) > 1) showTime(Math.min(...marked), Math.max(...marked));
      marked = null;
      drawTimeline();
    },
    clicked(px, py, event) {
      const bar = barAt(block, px, py);
      if (bar?.acquisition) select(requestByName.get(bar.acquisition.request), bar.acquisition);
      if (bar && event.pointerType !== "mouse") showTip(event, barSummary(bar));
    },
    hovered(px, py, event) {
      cursor = inPlot(px) ? scaleNow().t(px) : null;
      drawTimeline();
      const bar = barAt(block, px, py);
      if (bar) showTip(event, barSummary(bar));
      else hideTip();
    },
    left() {
      cursor = null;
      hideTip();
      drawTimeline();
    },
  });
  followWheel(block.canvas, {
    zoomed: (factor, px) => zoomTime(factor, scaleNow().t(px)),
    slid: (dx) => slideTime(dx / scaleNow().perSecond),
  });
  block.canvas.addEventListener("dblclick", (event) => zoomTime(4, scaleNow().t(event.offsetX)));
  block.canvas.addEventListener("keydown", timeKeys);
  block.details.addEventListener("toggle", drawTimeline);
}

// ---- putting it together ----

const drawTimeline = oncePerFrame(() => {
  if (!blocks.length) return;
  drawOverview();
  drawAxis();
  blocks.forEach(drawBlock);
  const [from, to] = state.time;
  byId("time-range").value = `${timeText(from).slice(0, 16)} to ${timeText(to).slice(0, 16)}`;
});

function blockSummary({ satellite, lanes }) {
  const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
  return `${count(lanes.imaging.length, "acquisition")}, ${count(lanes.downlinks.length, "downlink")}, ${count(satellite.eclipses.length, "eclipse")}`;
}

function makeBlock(block, index) {
  const { satellite } = block;
  const label = `Timeline of ${satellite.name}: ${blockSummary(block)}. Arrow keys move, plus and minus zoom.`;
  block.canvas = el("canvas", { tabindex: 0, role: "application", "aria-label": label });
  const summary = el("summary", {}, el("span", { class: "name" }, satellite.name), el("small", {}, blockSummary(block)));
  block.details = el("details", { class: "block", open: index < 4 }, summary, block.canvas);
  return block.details;
}

function drawTimeLegend() {
  const items = [["imaging", "served"], ["imaging, request served in part", "partly"], ["slew", "slew"], ["pass", "pass-line"],
    ["downlink", "downlink"], ["eclipse", "eclipse"], ["limit", "limit"]];
  byId("time-legend").replaceChildren(...items.map(([text, colour]) => {
    const swatch = el("i", { class: "swatch" });
    swatch.style.background = `var(--${colour})`;
    return el("li", {}, swatch, text);
  }));
}

function startTimeline() {
  if (!blocks.length) {
    byId("time-blocks").append(el("p", { class: "empty" }, "This plan has no satellites, so there is nothing to show over time."));
    for (const part of document.querySelectorAll(".time-head, .time-buttons")) part.hidden = true;
    return;
  }
  byId("time-blocks").append(...blocks.map(makeBlock));
  blocks.forEach(watchBlock);
  dragOverview();
  overview.addEventListener("keydown", timeKeys);
  byId("time-in").addEventListener("click", () => zoomTime(2));
  byId("time-out").addEventListener("click", () => zoomTime(1 / 2));
  byId("time-back").addEventListener("click", () => slideTime(-(state.time[1] - state.time[0]) / 2));
  byId("time-on").addEventListener("click", () => slideTime((state.time[1] - state.time[0]) / 2));
  byId("time-all").addEventListener("click", () => showTime(0, plan.span_s));
  on("selection", () => {
    const a = state.acquisition;
    if (a && (a.end_s < state.time[0] || a.start_s > state.time[1])) centreTime(a.start_s);
  });
  for (const what of ["selection", "time", "filter"]) on(what, drawTimeline);
  drawTimeLegend();
}
