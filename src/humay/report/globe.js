// Lines and shapes on the sphere: coasts, tracks, strips, requests. Points are [lon, lat] in degrees.

// The inverse of pack_line in data.py.
function unpackLine(text) {
  const points = [];
  let at = 0, lon = 0, lat = 0;
  const next = () => {
    let value = 0, shift = 0, letter;
    do {
      letter = text.charCodeAt(at++) - 63;
      value |= (letter & 31) << shift;
      shift += 5;
    } while (letter >= 32);
    return value & 1 ? ~(value >> 1) : value >> 1;
  };
  while (at < text.length) {
    lon += next();
    lat += next();
    points.push([lon / plan.steps_per_degree, lat / plan.steps_per_degree]);
  }
  return points;
}

function withBounds(points) {
  const lon = points.map((p) => p[0]);
  const lat = points.map((p) => p[1]);
  return { points, box: [least(lon), least(lat), most(lon), most(lat)], coarse: coarsened(points) };
}

function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

// Fewer points for views of the whole world: none nearer than 0.25 degrees to the one before.
function coarsened(points) {
  let last = points[0];
  return points.filter((p, i) => {
    const far = Math.abs(p[0] - last[0]) + Math.abs(p[1] - last[1]) > 0.25;
    if (far || i === 0 || i === points.length - 1) last = p;
    return last === p;
  });
}

function toVector([lon, lat]) {
  const c = Math.cos(lat * RAD);
  return [c * Math.cos(lon * RAD), c * Math.sin(lon * RAD), Math.sin(lat * RAD)];
}

// The point at share f of the great circle from a to b; its longitude is the one nearest to a's.
function between(a, b, f) {
  const u = toVector(a), v = toVector(b);
  const angle = Math.acos(Math.min(1, u[0] * v[0] + u[1] * v[1] + u[2] * v[2]));
  if (angle < 1e-9) return a;
  const p = Math.sin((1 - f) * angle), q = Math.sin(f * angle);
  const [x, y, z] = u.map((value, i) => p * value + q * v[i]);
  return [near(Math.atan2(y, x) / RAD, a[0]), Math.atan2(z, Math.hypot(x, y)) / RAD];
}

function near(lon, reference) {
  return lon + 360 * Math.round((reference - lon) / 360);
}

// One point a minute becomes one every 15 s along the great circle; longitudes run on without a jump.
function smoothTrack(points) {
  const smooth = [];
  for (let i = 0; i + 1 < points.length; i++) {
    for (let f = 0; f < 1; f += 0.25) smooth.push(between(points[i], points[i + 1], f));
  }
  return smooth;
}

// The rectangle of a strip: its centre line, with half the width to either side.
function stripRing(acquisition) {
  const [a, b] = acquisition.centre_line;
  const left = [], right = [];
  const end = [near(b[0], a[0]), b[1]];
  for (let i = 0; i <= 8; i++) {
    const p = between(a, end, i / 8);
    const squeeze = Math.max(0.01, Math.cos(p[1] * RAD));
    const east = (near(b[0], a[0]) - a[0]) * squeeze, north = b[1] - a[1];
    const half = acquisition.width_m / 2 / METRES_PER_DEGREE / (Math.hypot(east, north) || 1);
    left.push([p[0] - (north * half) / squeeze, p[1] + east * half]);
    right.unshift([p[0] + (north * half) / squeeze, p[1] - east * half]);
  }
  return [...left, ...right];
}

// A request's outlines and the point that stands for it.
function placeOf(request) {
  const { type, coordinates } = request.geometry;
  const rings = { Point: [], LineString: [coordinates], Polygon: coordinates, MultiPolygon: coordinates.flat() }[type] ?? [];
  const anchor = type === "Point" ? coordinates : centreOf(rings);
  return { request, rings, closed: type.endsWith("Polygon"), lon: anchor[0], lat: anchor[1] };
}

function centreOf(rings) {
  const points = rings.flat();
  const lon = points.map((p) => p[0]), lat = points.map((p) => p[1]);
  return [(least(lon) + most(lon)) / 2, (least(lat) + most(lat)) / 2];
}
