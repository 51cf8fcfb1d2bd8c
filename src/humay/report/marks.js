// Marks and names on the map that keep out of each other's way.

// Ten or more marks that would lie on top of each other become one ring with their number.
function gather(visible) {
  const cells = groupBy(visible, (m) => `${Math.floor(m.x / 34)},${Math.floor(m.y / 34)}`);
  const clusters = [], singles = [];
  for (const members of cells.values()) {
    if (members.length < 10) singles.push(...members);
    else clusters.push({ members, x: mean(members, "x"), y: mean(members, "y"), r: 13 + Math.log2(members.length) });
  }
  return { clusters: merged(clusters), singles };
}

function merged(clusters) {
  const kept = [];
  for (const cluster of clusters.sort((a, b) => b.members.length - a.members.length)) {
    const host = kept.find((k) => Math.hypot(k.x - cluster.x, k.y - cluster.y) < k.r + cluster.r);
    if (host) host.members.push(...cluster.members);
    else kept.push(cluster);
  }
  return kept;
}

function mean(members, key) {
  return members.reduce((sum, m) => sum + m[key], 0) / members.length;
}

function drawCluster(c, cluster, labels) {
  const { x: px, y: py, r, members } = cluster;
  let from = -Math.PI / 2;
  c.beginPath();
  c.arc(px, py, r, 0, 2 * Math.PI);
  c.fillStyle = theme().panel;
  c.fill();
  for (const outcome of OUTCOMES) {
    const share = members.filter((m) => m.request.outcome === outcome).length / members.length;
    c.beginPath();
    c.arc(px, py, r, from, (from += share * 2 * Math.PI));
    c.strokeStyle = outcomeColour(outcome);
    c.lineWidth = 4;
    c.stroke();
  }
  c.font = `600 12px ${theme().sans}`;
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.fillStyle = theme().ink;
  c.fillText(String(members.length), px, py + 0.5);
  c.textAlign = "left";
  labels.occupy(px - r, py - r, 2 * r, 2 * r);
}

// Labels that never cover one another: each takes the first free side of its mark, or is left out.
function newLabels(c) {
  const taken = [];
  const free = (a) => taken.every((b) => a[0] + a[2] < b[0] || b[0] + b[2] < a[0] || a[1] + a[3] < b[1] || b[1] + b[3] < a[1]);
  const place = (text, px, py, gap, { bold = false, always = false }) => {
    c.font = `${bold ? 600 : 400} 11px ${theme().sans}`;
    c.textBaseline = "middle";
    const short = text.length > 34 ? `${text.slice(0, 32)}\u2026` : text;
    const wide = c.measureText(short).width;
    const sides = [[px + gap, py], [px - gap - wide, py], [px - wide / 2, py - gap - 6], [px - wide / 2, py + gap + 7]];
    const box = ([left, mid]) => [left - 1, mid - 6, wide + 2, 12];
    const side = sides.find((s) => free(box(s)) && s[0] > 0 && s[0] + wide < view.width) ?? (always ? sides[0] : null);
    if (!side) return;
    taken.push(box(side));
    haloText(c, short, side[0], side[1], theme().ink, theme().halo);
  };
  return { place, occupy: (...box) => taken.push(box) };
}
