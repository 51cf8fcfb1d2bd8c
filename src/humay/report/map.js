// The map: equirectangular, true to scale at one parallel, longitudes repeating every 360 degrees.

const mapCanvas = byId("map-canvas");
const layers = { tracks: true, strips: true, stations: true, names: true, ...(products.length ? { pictures: true } : {}) };
const land = plan.land.map(unpackLine).map(withBounds);
const borders = plan.borders.map(unpackLine).map(withBounds);
const tracks = plan.satellites.map((s) => smoothTrack(unpackLine(s.track)));
const places = plan.requests.map(placeOf);
const strips = plan.acquisitions.map((a) => ({ acquisition: a, ring: stripRing(a) }));

const footprints = plan.acquisitions.filter((a) => productsOf.has(a.id)).map((a) => ({ acquisition: a, ring: productsOf.get(a.id)[0].footprint }));

const together = crowd(); // where the map opens

const view = { lon: 0, lat: 0, scale: 2, width: 0, height: 0, k: 1 };
let drawn = { marks: [], clusters: [] }; // where things came to lie, for the pointer

// ---- the view ----

function mapX(lon) {
  return (lon - view.lon) * view.k * view.scale + view.width / 2;
}

function mapY(lat) {
  return (view.lat - lat) * view.scale + view.height / 2;
}

function lonAt(px) {
  return view.lon + (px - view.width / 2) / view.k / view.scale;
}

function latAt(py) {
  return view.lat - (py - view.height / 2) / view.scale;
}

function settle() {
  const whole = 0.96 * Math.min(view.width / 360 / view.k, view.height / 180);
  view.scale = Math.min(Math.max(view.scale, whole), 6000);
  const spare = Math.max(0, 90 - view.height / 2 / view.scale);
  view.lat = Math.min(Math.max(view.lat, -spare), spare);
  view.lon = ((((view.lon + 180) % 360) + 360) % 360) - 180;
}

function zoomMap(factor, px = view.width / 2, py = view.height / 2) {
  const lon = lonAt(px), lat = latAt(py);
  view.scale *= factor;
  settle();
  view.lon += lon - lonAt(px);
  view.lat += lat - latAt(py);
  settle();
  drawMap();
}

function moveMap(dx, dy) {
  view.lon -= dx / view.k / view.scale;
  view.lat += dy / view.scale;
  settle();
  drawMap();
}

function fitBox([west, south, east, north], smallest = 0.3) {
  view.lon = (west + east) / 2;
  view.lat = (south + north) / 2;
  const across = Math.max(east - west, smallest) * view.k, up = Math.max(north - south, smallest);
  view.scale = Math.min(view.width / across, view.height / up) * 0.84;
  settle();
  drawMap();
}

function fitWorld() {
  Object.assign(view, { lon: 0, lat: 0, scale: 0 });
  settle();
  drawMap();
}

function fitRequests() {
  if (together.length) fitBox(boundsOf(together));
  else fitWorld();
}

// Where at least half of the requests lie together: the smallest of a few distances that holds them.
function crowd() {
  const step = Math.ceil(places.length / 200);
  for (const reach of [2, 4, 8, 16, 30]) {
    let best = [];
    for (let i = 0; i < places.length; i += step) {
      const around = places.filter((p) => distance(p, places[i]) < reach);
      if (around.length > best.length) best = around;
    }
    if (best.length >= places.length / 2) return best;
  }
  return [];
}

function distance(a, b) {
  const lon = near(a.lon, b.lon) - b.lon;
  return Math.hypot(lon * Math.cos(b.lat * RAD), a.lat - b.lat);
}

function boundsOf(chosen) {
  const points = chosen.flatMap((p) => [[p.lon, p.lat], ...p.rings.flat()]);
  const lon = points.map((p) => near(p[0], chosen[0].lon)), lat = points.map((p) => p[1]);
  return [least(lon), least(lat), most(lon), most(lat)];
}

// The parallel that keeps its true shape: the middle latitude of the crowd, within reason.
function chooseParallel() {
  const [, south, , north] = together.length ? boundsOf(together) : [0, 0, 0, 0];
  view.k = Math.cos(Math.min(Math.abs((south + north) / 2), 60) * RAD);
}

// Offsets in whole turns at which something between two longitudes is in sight.
function turns(west, east) {
  const found = [];
  const first = Math.ceil((lonAt(0) - east) / 360), last = Math.floor((lonAt(view.width) - west) / 360);
  for (let turn = first; turn <= last; turn++) found.push(360 * turn);
  return found;
}

// ---- drawing ----

const drawMap = oncePerFrame(() => {
  const { c, width, height } = prepare(mapCanvas);
  if (!width) return;
  if (width !== view.width || height !== view.height) {
    Object.assign(view, { width, height });
    settle();
  }
  c.save();
  c.beginPath();
  c.rect(0, mapY(90), width, mapY(-90) - mapY(90));
  c.clip();
  c.fillStyle = theme().sea;
  c.fillRect(0, 0, width, height);
  drawLand(c);
  drawGraticule(c);
  if (layers.tracks) drawTracks(c);
  drawAreas(c);
  if (layers.strips) drawStrips(c);
  if (layers.pictures) drawFootprints(c);
  c.restore();
  nameGraticule(c);
  const { clusters, singles } = gather(visibleRequests());
  drawn = { marks: [], clusters };
  const labels = newLabels(c);
  for (const cluster of clusters) drawCluster(c, cluster, labels);
  if (layers.stations) drawStations(c, labels);
  drawRequests(c, singles, labels);
  if (layers.names) nameRequests(singles, labels);
  for (const mark of [...singles, ...clusters.flatMap((k) => k.members)]) if (mark.request === state.request) drawRing(c, mark);
  if (!plan.requests.length) drawNotice(c, "No requests in this plan");
});

function drawLand(c) {
  c.beginPath();
  for (const shape of land) traceShape(c, shape, () => false);
  c.fillStyle = theme().land;
  c.fill("evenodd");
  c.beginPath();
  for (const shape of land) traceShape(c, shape, onSeam);
  c.strokeStyle = theme().coast;
  c.lineWidth = 0.7;
  c.stroke();
  c.beginPath();
  for (const shape of borders) traceShape(c, shape, () => false);
  c.strokeStyle = theme().border;
  c.setLineDash([3, 2]);
  c.stroke();
  c.setLineDash([]);
}

// A side that only closes a ring at the edge of the world map is no coast.
function onSeam(p, q) {
  return (Math.abs(p[0]) > 179.98 && Math.abs(q[0]) > 179.98) || (p[1] < -89.9 && q[1] < -89.9);
}

function traceShape(c, shape, skipped) {
  const [west, south, east, north] = shape.box;
  if (south > latAt(0) || north < latAt(view.height)) return;
  const points = view.scale < 14 ? shape.coarse : shape.points;
  for (const turn of turns(west, east)) tracePoints(c, inSightOnly(points, turn), turn, skipped);
}

// Leaves out points in runs that stay beyond one and the same side of the view: the lines in sight and the
// even-odd fill stay as they are, and a close view of a large coast is drawn in a tenth of the time.
function inSightOnly(points, turn) {
  const side = sides(turn);
  let before = 0, here = side(points[0]);
  return points.filter((p, i) => {
    const after = i + 1 < points.length ? side(points[i + 1]) : 0;
    const needless = before & here & after;
    if (!needless) before = here;
    here = after;
    return !needless;
  });
}

// Tells beyond which sides of the view a point lies, one bit a side.
function sides(turn) {
  const west = lonAt(0) - turn, east = lonAt(view.width) - turn;
  const north = latAt(0), south = latAt(view.height);
  return (p) => (p[0] < west ? 1 : p[0] > east ? 2 : 0) | (p[1] < south ? 4 : p[1] > north ? 8 : 0);
}

function tracePoints(c, points, turn = 0, skipped = () => false) {
  points.forEach((p, i) => {
    if (i === 0 || skipped(points[i - 1], p)) c.moveTo(mapX(p[0] + turn), mapY(p[1]));
    else c.lineTo(mapX(p[0] + turn), mapY(p[1]));
  });
}

// Meridians and parallels in sight, 55 to 170 pixels apart.
function graticule() {
  const step = [30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1].find((s) => s * view.scale < 170 && s * view.scale >= 55) ?? 30;
  return {
    lons: multiples(step, lonAt(0), lonAt(view.width)),
    lats: multiples(step, Math.max(-90, latAt(view.height)), Math.min(90, latAt(0))),
  };
}

function drawGraticule(c) {
  const { lons, lats } = graticule();
  c.beginPath();
  for (const lon of lons) tracePoints(c, [[lon, 90], [lon, -90]]);
  for (const lat of lats) tracePoints(c, [[lonAt(0), lat], [lonAt(view.width), lat]]);
  c.strokeStyle = theme().graticule;
  c.lineWidth = 1;
  c.stroke();
}

function nameGraticule(c) {
  const { lons, lats } = graticule();
  const { width, height } = view;
  c.font = `10px ${theme().sans}`;
  c.textBaseline = "alphabetic";
  for (const lon of lons) if (mapX(lon) < width - 70) haloText(c, lonText(lon), mapX(lon) + 3, height - 5, theme().soft, theme().halo);
  c.textAlign = "right";
  for (const lat of lats) if (mapY(lat) > 14 && mapY(lat) < height - 24) haloText(c, latText(lat), width - 4, mapY(lat) - 3, theme().soft, theme().halo);
  c.textAlign = "left";
}

function multiples(step, from, to) {
  const found = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) found.push(+(i * step).toFixed(6));
  return found;
}

function lonText(lon) {
  const turned = near(lon, 0);
  const side = turned === 0 || Math.abs(turned) === 180 ? "" : turned < 0 ? "W" : "E";
  return `${+Math.abs(turned).toFixed(1)}\u00b0${side}`;
}

function latText(lat) {
  return `${+Math.abs(lat).toFixed(1)}\u00b0${lat < 0 ? "S" : lat > 0 ? "N" : ""}`;
}

function trackColour(index) {
  return theme()[`track-${(index % 4) + 1}`];
}

function trackDash(index) {
  return [[], [6, 3], [2, 3], [9, 3, 2, 3]][index % 4];
}

function drawTracks(c) {
  const [from, to] = state.time.map((t) => t / 15);
  c.lineWidth = 1.1;
  c.globalAlpha = Math.min(0.9, Math.max(0.22, 3000 / (to - from)));
  tracks.forEach((track, i) => {
    c.beginPath();
    traceTrack(c, track.slice(Math.floor(from), Math.ceil(to) + 1));
    c.strokeStyle = trackColour(i);
    c.setLineDash(trackDash(i));
    c.stroke();
  });
  c.globalAlpha = 1;
  c.setLineDash([]);
}

// Points hop back by a turn where the longitude passes 180: the line is cut and both ends run over.
function traceTrack(c, track) {
  let part = [];
  const flush = () => {
    const lon = part.map((p) => p[0]);
    for (const turn of turns(least(lon), most(lon))) {
      const side = sides(turn);
      tracePoints(c, part, turn, (p, q) => side(p) & side(q)); // dashes out of sight would take most of the time
    }
  };
  for (const p of track) {
    const last = part.at(-1);
    if (last && Math.abs(p[0] - last[0]) > 180) {
      part.push([near(p[0], last[0]), p[1]]);
      flush();
      part = [[near(last[0], p[0]), last[1]]];
    }
    part.push(p);
  }
  if (part.length) flush();
}

function drawAreas(c) {
  for (const place of places) {
    if (!place.rings.length) continue;
    const chosen = place.request === state.request;
    c.globalAlpha = matchesFilter(place.request) ? 1 : 0.15;
    c.beginPath();
    traceRings(c, place.rings, place.closed);
    c.strokeStyle = outcomeColour(place.request.outcome);
    c.setLineDash({ served: [], partly: [7, 3], "left out": [2, 3] }[place.request.outcome]);
    c.lineWidth = chosen ? 2.6 : 1.3;
    c.stroke();
  }
  c.setLineDash([]);
  c.globalAlpha = 1;
}

function traceRings(c, rings, closed) {
  for (const ring of rings) {
    const lon = ring.map((p) => p[0]);
    for (const turn of turns(least(lon), most(lon))) {
      tracePoints(c, ring, turn);
      if (closed) c.closePath();
    }
  }
}

function drawStrips(c) {
  for (const { acquisition, ring } of strips) {
    const request = requestByName.get(acquisition.request);
    const chosen = acquisition === state.acquisition;
    const shown = !request || matchesFilter(request);
    const pixels = (acquisition.width_m / METRES_PER_DEGREE) * view.scale;
    if (pixels < 3 && !chosen) continue;
    c.beginPath();
    traceRings(c, [ring], true);
    c.fillStyle = theme().accent;
    c.globalAlpha = !shown ? 0.02 : chosen ? 0.3 : request === state.request ? 0.2 : 0.08;
    c.fill();
    c.strokeStyle = chosen ? theme().ink : theme().accent;
    c.lineWidth = chosen ? 2 : 0.8;
    c.globalAlpha = !shown ? 0.1 : chosen ? 1 : request === state.request ? 0.9 : 0.4;
    c.stroke();
  }
  c.globalAlpha = 1;
}

// Where pictures were made: the outline of the first product, or a square round a place too small to outline.
function drawFootprints(c) {
  for (const { acquisition, ring } of footprints) {
    const request = requestByName.get(acquisition.request);
    c.globalAlpha = !request || matchesFilter(request) ? 1 : 0.15;
    c.beginPath();
    traceRings(c, [atLeast(ring, 14)], true);
    for (const [colour, width] of [[theme().halo, 3.4], [theme().ink, acquisition === state.acquisition ? 2.4 : 1.4]]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.stroke();
    }
  }
  c.globalAlpha = 1;
}

// A ring, or a square of so many pixels in its place where both its sides are shorter.
function atLeast(ring, pixels) {
  const [west, south, east, north] = ringBounds(ring);
  const across = pixels / view.scale / view.k, up = pixels / view.scale;
  if (east - west > across || north - south > up) return ring;
  const lon = (west + east) / 2, lat = (south + north) / 2;
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => [lon + (x * across) / 2, lat + (y * up) / 2]);
}

function ringBounds(ring) {
  const lon = ring.map((p) => near(p[0], ring[0][0])), lat = ring.map((p) => p[1]);
  return [least(lon), least(lat), most(lon), most(lat)];
}

function drawStations(c, labels) {
  for (const station of plan.stations) {
    for (const turn of turns(station.lon_deg, station.lon_deg)) {
      const px = mapX(station.lon_deg + turn), py = mapY(station.lat_deg);
      if (drawn.clusters.some((k) => Math.hypot(k.x - px, k.y - py) < k.r + 6)) continue;
      c.beginPath();
      c.moveTo(px - 6, py + 5);
      c.lineTo(px + 6, py + 5);
      c.lineTo(px, py - 6);
      c.closePath();
      c.lineWidth = 3;
      c.strokeStyle = theme().land;
      c.stroke();
      c.fillStyle = theme().ink;
      c.fill();
      drawn.marks.push({ x: px, y: py, r: 9, station });
      labels.occupy(px - 7, py - 7, 14, 14);
      labels.place(station.name, px, py, 9, { bold: true });
    }
  }
}

function visibleRequests() {
  const visible = [];
  for (const place of places) {
    for (const turn of turns(place.lon, place.lon)) {
      const px = mapX(place.lon + turn), py = mapY(place.lat);
      if (py > -10 && py < view.height + 10) visible.push({ x: px, y: py, r: 9, place, request: place.request });
    }
  }
  return visible;
}

// The served ones come last, on top.
function drawRequests(c, singles, labels) {
  const radius = singles.length > 1500 ? 2.4 : 4.4;
  singles.sort((a, b) => OUTCOMES.indexOf(b.request.outcome) - OUTCOMES.indexOf(a.request.outcome));
  for (const mark of singles) {
    c.globalAlpha = matchesFilter(mark.request) ? 1 : 0.15;
    drawMarker(c, mark.request.outcome, mark.x, mark.y, radius);
    labels.occupy(mark.x - 5, mark.y - 5, 10, 10);
  }
  c.globalAlpha = 1;
  drawn.marks.push(...singles);
}

function drawRing(c, mark) {
  c.beginPath();
  c.arc(mark.x, mark.y, 10, 0, 2 * Math.PI);
  c.strokeStyle = theme().ink;
  c.lineWidth = 2;
  c.stroke();
}

function nameRequests(singles, labels) {
  const chosen = singles.filter((m) => m.request === state.request);
  for (const mark of chosen) labels.place(mark.request.name, mark.x, mark.y, 12, { bold: true, always: true });
  const inside = singles.filter((m) => m.x > 0 && m.x < view.width && matchesFilter(m.request) && !chosen.includes(m));
  if (inside.length > 120) return;
  inside.sort((a, b) => b.request.priority - a.request.priority);
  for (const mark of inside) labels.place(mark.request.name, mark.x, mark.y, 7, {});
}

function drawNotice(c, text) {
  c.font = `16px ${theme().serif}`;
  c.textAlign = "center";
  haloText(c, text, view.width / 2, view.height / 2, theme().soft, theme().halo);
  c.textAlign = "left";
}

// ---- the pointer ----

function thingAt(px, py) {
  const cluster = drawn.clusters.find((k) => Math.hypot(k.x - px, k.y - py) < k.r + 2);
  if (cluster) return { cluster };
  const reach = (m) => Math.hypot(m.x - px, m.y - py);
  const mark = drawn.marks.filter((m) => reach(m) < m.r).sort((a, b) => reach(a) - reach(b))[0];
  if (mark) return mark.station ? { station: mark.station } : { request: mark.request };
  const point = [lonAt(px), latAt(py)];
  const area = places.find((p) => p.closed && p.rings.filter((ring) => holds(ring, point)).length % 2);
  const pictured = layers.pictures && footprints.find((f) => holds(atLeast(f.ring, 14), point));
  if (pictured) return { request: requestByName.get(pictured.acquisition.request), strip: pictured.acquisition };
  const strip = layers.strips && strips.find((s) => holds(s.ring, point));
  if (strip) return { request: requestByName.get(strip.acquisition.request), strip: strip.acquisition };
  return area ? { request: area.request } : null;
}

// Ray casting, on whichever turn of the globe the ring was given.
function holds(ring, [lon, lat]) {
  const at = near(lon, ring[0][0]);
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j];
    if (yi > lat !== yj > lat && at < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function hoverMap(px, py, event) {
  const thing = thingAt(px, py);
  mapCanvas.classList.toggle("over", Boolean(thing));
  if (!thing) return hideTip();
  if (thing.station) return showTip(event, el("b", {}, thing.station.name), el("div", {}, "Ground station"));
  if (thing.cluster) return showTip(event, `${thing.cluster.members.length} requests: click to look closer`);
  showTip(event, requestSummary(thing.request, thing.strip));
}

function clickMap(px, py, event) {
  const thing = thingAt(px, py);
  if (thing?.cluster) return fitBox(boundsOf(thing.cluster.members.map((m) => m.place)));
  if (thing?.station) return;
  select(thing?.request ?? null, thing?.strip);
  if (thing && event.pointerType !== "mouse") showTip(event, requestSummary(thing.request, thing.strip));
  else hideTip();
}

function stepRequest(by) {
  const listed = plan.requests.filter(matchesFilter);
  if (!listed.length) return;
  const at = listed.indexOf(state.request);
  const next = listed[(at + by + listed.length) % listed.length];
  select(next);
  showPlace(next);
}

// Bring a request into sight, moving no more than needed.
function showPlace(request) {
  const place = places[plan.requests.indexOf(request)];
  const seen = turns(place.lon, place.lon).length && mapY(place.lat) > 20 && mapY(place.lat) < view.height - 20;
  if (!seen) Object.assign(view, { lon: place.lon, lat: place.lat });
  settle();
  drawMap();
}

function showOnMap(request) {
  byId("map").scrollIntoView();
  const [west, south, east, north] = boundsOf([places[plan.requests.indexOf(request)]]);
  const spare = Math.max(0.6, (east - west) * 0.3, (north - south) * 0.3);
  fitBox([west - spare, south - spare, east + spare, north + spare]);
}

function mapKeys(event) {
  const actions = {
    ArrowLeft: () => moveMap(60, 0), ArrowRight: () => moveMap(-60, 0),
    ArrowUp: () => moveMap(0, 60), ArrowDown: () => moveMap(0, -60),
    "+": () => zoomMap(1.5), "=": () => zoomMap(1.5), "-": () => zoomMap(1 / 1.5),
    Home: fitRequests, n: () => stepRequest(1), p: () => stepRequest(-1),
    Escape: () => mapCanvas.blur(),
  };
  if (event.ctrlKey || event.metaKey || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

let hintTimer = 0;

function showHint() {
  const hint = byId("map-hint");
  hint.hidden = false;
  clearTimeout(hintTimer);
  hintTimer = setTimeout(() => { hint.hidden = true; }, 1200);
}

function drawMapLegend() {
  const trackItems = plan.satellites.map((s, i) => {
    const canvas = el("canvas", { class: "swatch", "aria-hidden": true });
    return [canvas, el("li", {}, canvas, el("span", { class: "name" }, s.name)), i];
  });
  byId("map-legend").replaceChildren(
    ...OUTCOMES.map((o) => el("li", {}, el("i", { class: `mark ${outcomeClass(o)}` }), o)),
    ...trackItems.map(([, item]) => item),
    ...(products.length ? [el("li", {}, el("i", { class: "mark pictured" }), "picture")] : []),
  );
  for (const [canvas, , i] of trackItems) {
    const { c, width, height } = prepare(canvas);
    c.strokeStyle = trackColour(i);
    c.setLineDash(trackDash(i));
    c.lineWidth = 1.6;
    c.beginPath();
    c.moveTo(0, height / 2);
    c.lineTo(width, height / 2);
    c.stroke();
  }
}

function startMap() {
  Object.assign(view, { width: mapCanvas.clientWidth, height: mapCanvas.clientHeight });
  chooseParallel();
  fitRequests();
  followPointers(mapCanvas, {
    moved: (dx, dy) => { mapCanvas.classList.add("moving"); hideTip(); moveMap(dx, dy); },
    pinched: zoomMap, clicked: clickMap, hovered: hoverMap, left: hideTip,
    released: () => mapCanvas.classList.remove("moving"),
  });
  followWheel(mapCanvas, { zoomed: zoomMap, refused: showHint });
  mapCanvas.addEventListener("dblclick", () => zoomMap(2));
  mapCanvas.addEventListener("keydown", mapKeys);
  byId("map-in").addEventListener("click", () => zoomMap(1.6));
  byId("map-out").addEventListener("click", () => zoomMap(1 / 1.6));
  byId("map-fit").addEventListener("click", fitRequests);
  byId("map-world").addEventListener("click", fitWorld);
  for (const name of Object.keys(layers)) {
    byId(`layer-${name}`).addEventListener("change", (event) => {
      layers[name] = event.target.checked;
      drawMap();
    });
  }
  for (const what of ["selection", "time", "filter"]) on(what, drawMap);
}
