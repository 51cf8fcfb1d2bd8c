// The selected request in full, and its summary for the pointer.

const detailsBox = byId("details");

function requestSummary(request, acquisition = null) {
  if (!request) return [el("b", { class: "name" }, acquisition?.request ?? "")];
  const shown = acquisition ?? acquisitionsOf.get(request.name)?.[0];
  return [
    el("div", {}, el("b", { class: "name" }, request.name)),
    request.purpose ? el("div", { class: "soft" }, request.purpose) : null,
    el("div", {}, chip(request.outcome)),
    request.reason ? el("div", {}, request.reason.text) : null,
    shown ? pairs(angleEntries(shown).slice(0, 3).concat([["Sun elevation", degrees(shown.sun_elevation_deg)]])) : null,
    shown ? smallPicture(shown) : null,
  ];
}

function showDetails() {
  const { request } = state;
  detailsBox.classList.toggle("intro", !request);
  detailsBox.replaceChildren(...(request ? requestDetails(request) : introduction()).filter(Boolean));
}

function introduction() {
  if (!plan.requests.length) return [];
  const urgent = mostUrgent();
  return [
    el("h3", {}, "Select a request"),
    el("p", { class: "soft" }, "Click or tap a mark on the map, a bar in the timeline or a name in the table. With the keyboard: focus the map and press N for the next request, P for the one before."),
    el("p", { class: "soft" }, "A mark stands for a request, a rectangle for a strip that will be imaged, a triangle for a ground station."),
    urgent.length ? el("h4", {}, "Most urgent, not served") : null,
    ...urgent.map((r) => el("p", {}, nameButton(r), el("span", { class: "soft" }, `: ${r.reason?.text ?? r.outcome}`))),
  ];
}

function mostUrgent() {
  return plan.requests.filter((r) => r.outcome === "left out").sort((a, b) => b.priority - a.priority).slice(0, 4);
}

function nameButton(request, acquisition = null) {
  return el("button", { type: "button", class: "link name", onclick: () => { select(request, acquisition); showPlace(request); } }, request.name);
}

function requestDetails(request) {
  const mine = acquisitionsOf.get(request.name) ?? [];
  return [
    el("h3", { class: "name" }, request.name),
    el("div", {}, chip(request.outcome)),
    request.purpose ? el("p", { class: "name" }, request.purpose) : null,
    request.reason ? el("p", {}, el("b", {}, "Why not: "), request.reason.text) : null,
    competitors(request),
    requestPairs(request),
    el("div", { class: "buttons" },
      el("button", { type: "button", onclick: () => showOnMap(request) }, "Zoom map"),
      mine.length ? el("button", { type: "button", onclick: showInTimeline }, "Show in timeline") : null,
      el("button", { type: "button", onclick: () => select(null) }, "Close")),
    ...mine.flatMap(acquisitionDetails),
  ];
}

function competitors(request) {
  const names = request.reason?.competitors ?? [];
  if (!names.length) return null;
  const buttons = names.map((n) => (requestByName.has(n) ? nameButton(requestByName.get(n)) : el("span", {}, n)));
  return el("p", { class: "soft" }, "Taken by ", buttons.flatMap((b, i) => (i ? [", ", b] : [b])));
}

function requestPairs(request) {
  const height = request.height_m === null ? `by strip (${request.height_source})` : `${number(request.height_m)} m (${request.height_source})`;
  return pairs([
    ["Kind", request.kind],
    ["Priority, weight", `${number(request.priority)}, ${number(request.weight, 1)}`],
    ["Windows found", number(request.opportunities)],
    ["Imaged", `${number(100 * request.fraction)} %`],
    ["Strips", `${number(request.strips[0])} of ${number(request.strips[1])}`],
    ["Height", height],
  ]);
}

function acquisitionDetails(a) {
  const chosen = a === state.acquisition;
  return [
    el("h4", {}, chosen ? `Acquisition ${a.id}` : el("button", { type: "button", class: "link", onclick: () => select(state.request, a) }, `Acquisition ${a.id}`)),
    ...flownDetails(a),
    chosen
      ? pairs([...angleEntries(a), ["Orbit", orbitText(a)], ["Command", commandText(a)], ["Data", `${number(a.data_gbit, 1)} Gbit`], ["Delivered", `${deliveredText(a)}${a.delivered_s === null ? "" : " UTC"}`]])
      : el("div", { class: "soft" }, `${timeText(a.start_s)} UTC, ${a.satellite}`),
  ].filter(Boolean);
}

function orbitText(a) {
  return `${number(a.orbit)} + ${number(a.anx_offset_s, 1)} s`;
}

// The pass that carries the command on board.
function commandText(a) {
  const pass = passById.get(a.uplink);
  return pass ? `${pass.station}, ${timeText(pass.start_s)} UTC` : NO_VALUE;
}

function deliveredText(a) {
  return a.delivered_s === null ? "still on board" : timeText(a.delivered_s);
}

// A bar at the foot of the window that leads from wherever the reader is to the three views.
function showSelected() {
  const { request } = state;
  const bar = byId("selected");
  const [product] = productsOf.get(state.acquisition?.id) ?? [];
  bar.hidden = !request;
  bar.classList.toggle("pictured", Boolean(product));
  if (!request) return;
  const button = (text, onclick) => el("button", { type: "button", onclick }, text);
  bar.replaceChildren(...[
    el("i", { class: `mark ${outcomeClass(request.outcome)}` }), el("b", { class: "name" }, request.name),
    button("Map", () => showOnMap(request)),
    button("Timeline", showInTimeline),
    product ? button("Picture", () => showPicture(product)) : null,
    button("Table", () => { byId("requests").scrollIntoView(); revealRow(requestTable); }),
    el("button", { type: "button", "aria-label": "Close", onclick: () => select(null) }, "\u00d7"),
  ].filter(Boolean));
}

function startDetails() {
  on("selection", showDetails);
  on("selection", showSelected);
  showDetails();
}
