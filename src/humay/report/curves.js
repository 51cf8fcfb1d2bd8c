// The resource curves of a satellite under its lanes: memory, battery, imaging time, each with its limits.

const PLOT_HEIGHT = 58;
const PLOT_GAP = 10;

function plotsOf({ curves, limits }) {
  const plots = [];
  if (curves.memory_gbit) {
    plots.push({ title: ["memory", "Gbit"], unit: "Gbit", curve: curves.memory_gbit, colour: "accent", limits: [limits.memory_gbit], filled: true });
  }
  if (curves.battery_wh) {
    plots.push({ title: ["battery", "Wh"], unit: "Wh", curve: curves.battery_wh, colour: "battery", limits: [limits.battery_wh, limits.battery_floor_wh] });
  }
  (curves.imaging_s ?? []).forEach((curve, i) => {
    const limit = limits.imaging?.[i];
    const title = ["imaging", limit ? `s in ${durationText(limit.per_s)}` : `s, limit ${i + 1}`];
    plots.push({ title, unit: "s", curve, colour: "served", limits: [limit?.seconds], filled: true });
  });
  return plots.map(withRange);
}

// The vertical range holds the curve and its limits. A curve far below its limit would be flat: it
// gets the height, and the limit is only named. A battery need not start at zero.
function withRange(plot) {
  const limits = plot.limits.filter((v) => v !== undefined && v !== null);
  const highest = most(plot.curve[1]);
  const beyond = plot.filled && limits.some((v) => highest < 0.4 * v);
  const values = [...plot.curve[1], ...(beyond ? [] : limits)];
  const top = most(values), floor = plot.filled ? 0 : least(values);
  const spare = (top - floor) * 0.12 || 1;
  return { ...plot, limits, beyond, top, range: [plot.filled ? 0 : floor - spare, top + spare] };
}

function drawPlot(c, plot, top, scale) {
  const [low, high] = plot.range;
  const yAt = (v) => top + PLOT_HEIGHT - ((v - low) / (high - low)) * PLOT_HEIGHT;
  drawPlotFrame(c, plot, top, scale, yAt);
  clipped(c, scale, top - 1, PLOT_HEIGHT + 2, () => {
    traceCurve(c, plot, scale, yAt);
    c.strokeStyle = theme()[plot.colour];
    c.lineWidth = 1.4;
    c.stroke();
    if (!plot.filled) return;
    c.lineTo(scale.right + 5, yAt(low));
    c.lineTo(scale.left - 5, yAt(low));
    c.globalAlpha = 0.12;
    c.fillStyle = theme()[plot.colour];
    c.fill();
    c.globalAlpha = 1;
  });
  if (cursor !== null) drawReading(c, plot, scale, yAt);
}

function drawPlotFrame(c, plot, top, scale, yAt) {
  c.textAlign = "left";
  c.textBaseline = "alphabetic";
  c.fillStyle = theme().soft;
  c.font = `11px ${theme().sans}`;
  plot.title.forEach((line, i) => c.fillText(line, 0, top + 12 + 14 * i));
  if (plot.beyond) nameLimit(c, plot, top + 40);
  c.fillStyle = theme().rule;
  c.fillRect(scale.left, top + PLOT_HEIGHT, scale.right - scale.left, 1);
  c.textAlign = "right";
  const label = (value, colour) => {
    c.fillStyle = theme()[colour];
    c.fillText(number(value), scale.left - 5, yAt(value) + 4);
  };
  if (plot.filled) label(0, "soft");
  if (plot.top > 0 && (plot.beyond || !plot.limits.length)) label(plot.top, "soft");
  if (plot.beyond) return;
  for (const value of plot.limits) {
    drawLimit(c, yAt(value), scale);
    label(value, "limit");
  }
}

function drawLimit(c, y, scale) {
  c.setLineDash([4, 3]);
  c.lineWidth = 1;
  c.strokeStyle = theme().limit;
  c.beginPath();
  c.moveTo(scale.left, Math.round(y) + 0.5);
  c.lineTo(scale.right, Math.round(y) + 0.5);
  c.stroke();
  c.setLineDash([]);
}

function nameLimit(c, plot, y) {
  c.fillStyle = theme().limit;
  c.fillText(`limit ${plot.limits.map((v) => number(v)).join(", ")} \u2191`, 0, y);
}

function traceCurve(c, plot, scale, yAt) {
  const [times, values] = plot.curve;
  const first = Math.max(0, times.findIndex((t) => t >= state.time[0]) - 1);
  c.beginPath();
  for (let i = first; i < times.length; i++) {
    c.lineTo(scale.x(times[i]), yAt(values[i]));
    if (times[i] > state.time[1]) break;
  }
}

function valueAt([times, values], t) {
  const i = times.findIndex((time) => time >= t);
  if (i <= 0) return i ? values.at(-1) : values[0];
  const f = (t - times[i - 1]) / (times[i] - times[i - 1] || 1);
  return values[i - 1] + f * (values[i] - values[i - 1]);
}

function drawReading(c, plot, scale, yAt) {
  const value = valueAt(plot.curve, cursor);
  const px = scale.x(cursor), py = yAt(value);
  c.beginPath();
  c.arc(px, py, 2.5, 0, 2 * Math.PI);
  c.fillStyle = theme().ink;
  c.fill();
  c.font = `600 11px ${theme().sans}`;
  c.textBaseline = "middle";
  const after = px < scale.right - 90;
  c.textAlign = after ? "left" : "right";
  haloText(c, `${number(value, 1)} ${plot.unit}`, px + (after ? 7 : -7), Math.max(py, yAt(plot.range[1]) + 8), theme().ink, theme().paper);
}
