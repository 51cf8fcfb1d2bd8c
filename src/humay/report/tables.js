// The tables of requests and acquisitions: sortable, filtered, the first rows at once and all on demand.

const FIRST_ROWS = 100;

const requestTable = {
  box: "request-table", label: "Requests", cards: true, rows: plan.requests, all: false, sort: null,
  shown: () => plan.requests.filter(matchesFilter),
  chosen: (r) => r === state.request,
  empty: () => (plan.requests.length ? "No request fits the filter." : "This plan has no requests."),
  columns: [
    { title: "Request", head: true, wide: true, value: (r) => r.name, cell: (r) => [nameButton(r), r.purpose ? el("small", { class: "name" }, r.purpose) : null] },
    { title: "Outcome", value: (r) => OUTCOMES.indexOf(r.outcome), cell: (r) => chip(r.outcome) },
    { title: "Priority", number: true, value: (r) => r.priority, cell: (r) => number(r.priority) },
    { title: "Kind", value: (r) => r.kind, cell: (r) => r.kind },
    { title: "Imaged", number: true, value: (r) => r.fraction, cell: (r) => `${number(100 * r.fraction)} %` },
    { title: "Windows", number: true, value: (r) => r.opportunities, cell: (r) => number(r.opportunities) },
    { title: "First imaged, UTC", wide: true, kind: "moment", value: (r) => firstImaged(r) ?? Infinity, cell: (r) => (firstImaged(r) === null ? "" : timeText(firstImaged(r))) },
    { title: "Why not", wide: true, kind: "reason-cell", value: (r) => r.reason?.text ?? "", cell: (r) => r.reason?.text ?? "" },
  ],
};

const acquisitionTable = {
  box: "acquisition-table", label: "Acquisitions", cards: false, rows: plan.acquisitions, all: false, sort: null,
  shown: () => plan.acquisitions.filter((a) => !requestByName.has(a.request) || matchesFilter(requestByName.get(a.request))),
  chosen: (a) => a === state.acquisition,
  empty: () => (plan.acquisitions.length ? "No acquisition fits the filter." : "This plan has no acquisitions."),
  columns: [
    { title: "Request", head: true, value: (a) => a.request, cell: (a) => acquisitionName(a) },
    ...(products.length ? [{ title: "Products", kind: "moment", value: (a) => -(productsOf.get(a.id)?.length ?? 0), cell: productLinks }] : []),
    { title: "Start, UTC", kind: "moment", value: (a) => a.start_s, cell: (a) => timeText(a.start_s) },
    { title: "Length, s", number: true, value: (a) => a.end_s - a.start_s, cell: (a) => number(a.end_s - a.start_s, 1) },
    { title: "Satellite", value: (a) => a.satellite, cell: (a) => a.satellite },
    { title: "Orbit + s after node", number: true, value: (a) => a.orbit * 1e5 + a.anx_offset_s, cell: orbitText },
    { title: "Off-nadir", number: true, value: (a) => a.off_nadir_deg, cell: (a) => degrees(a.off_nadir_deg) },
    { title: "Roll", number: true, value: (a) => a.roll_deg, cell: (a) => degrees(a.roll_deg) },
    { title: "Pitch", number: true, value: (a) => a.pitch_deg, cell: (a) => degrees(a.pitch_deg) },
    { title: "Incidence", number: true, value: (a) => a.incidence_deg, cell: (a) => degrees(a.incidence_deg) },
    { title: "Azimuth", number: true, value: (a) => a.azimuth_deg, cell: (a) => degrees(a.azimuth_deg) },
    { title: "Sun", number: true, value: (a) => a.sun_elevation_deg, cell: (a) => degrees(a.sun_elevation_deg) },
    { title: "GSD, m", number: true, value: (a) => a.gsd_m, cell: (a) => number(a.gsd_m, 2) },
    { title: "Data, Gbit", number: true, value: (a) => a.data_gbit, cell: (a) => number(a.data_gbit, 1) },
    { title: "Delivered, UTC", kind: "moment", value: (a) => a.delivered_s ?? Infinity, cell: deliveredText },
  ],
};

function firstImaged(request) {
  const mine = acquisitionsOf.get(request.name);
  return mine ? least(mine.map((a) => a.start_s)) : null;
}

function acquisitionName(a) {
  const request = requestByName.get(a.request);
  return [request ? nameButton(request, a) : a.request, el("small", {}, a.id)];
}

function sorted(table) {
  const rows = table.shown();
  if (!table.sort) return rows;
  const { column, down } = table.sort;
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return rows.map((r) => [column.value(r), r]).sort((a, b) => order(a[0], b[0]) * (down ? -1 : 1)).map((p) => p[1]);
}

function drawTable(table) {
  const rows = sorted(table);
  const box = byId(table.box);
  if (!rows.length) return box.replaceChildren(el("p", { class: "empty" }, table.empty()));
  const first = table.all ? rows : rows.slice(0, FIRST_ROWS);
  const chosen = rows.find(table.chosen);
  if (chosen && !first.includes(chosen)) first.unshift(chosen); // the selected row is always there
  table.drawn = new Map();
  const scrolled = box.querySelector(".scroll")?.scrollTop ?? 0;
  const scroll = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": table.label },
    el("table", { class: table.cards ? "cards" : "wide-rows" },
      el("thead", {}, el("tr", {}, table.columns.map((c) => headCell(table, c)))),
      el("tbody", {}, first.map((row) => bodyRow(table, row)))));
  box.replaceChildren(...[table.cards ? sortChoice(table) : null, scroll, moreButton(table, rows.length)].filter(Boolean));
  scroll.scrollTop = scrolled;
}

function headCell(table, column) {
  const ours = table.sort?.column === column;
  const direction = !ours ? "none" : table.sort.down ? "descending" : "ascending";
  const sort = () => {
    table.sort = { column, down: ours && !table.sort.down };
    drawTable(table);
    byId(table.box).querySelectorAll(".sort")[table.columns.indexOf(column)].focus();
  };
  return el("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": direction },
    el("button", { type: "button", class: "sort", onclick: sort }, column.title));
}

function bodyRow(table, row) {
  const node = el("tr", {}, table.columns.map((column) => bodyCell(column, row)));
  markRow(node, table.chosen(row));
  table.drawn.set(row, node);
  return node;
}

function markRow(node, chosen) {
  node.classList.toggle("selected", chosen);
  if (chosen) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}

// Only the marks change, so that the button which selected the row keeps the focus.
function markRows(table) {
  const chosen = table.rows.find(table.chosen);
  if (chosen && table.drawn && !table.drawn.has(chosen) && table.shown().includes(chosen)) return drawTable(table);
  table.drawn?.forEach((node, row) => markRow(node, row === chosen));
}

function bodyCell(column, row) {
  const kind = [column.number && "number", column.wide && "wide", column.kind].filter(Boolean).join(" ");
  const label = column.head || column.title === "Outcome" ? null : column.title;
  return el(column.head ? "th" : "td", { class: kind || null, scope: column.head ? "row" : null, "data-label": label }, column.cell(row));
}

// Cards have no heads to click, so narrow screens choose the order here.
function sortChoice(table) {
  const options = table.columns.map((c, i) => el("option", { value: i, selected: table.sort?.column === c }, c.title));
  const choose = (event) => {
    const column = table.columns[event.target.value];
    table.sort = column ? { column, down: false } : null;
    drawTable(table);
  };
  return el("label", { class: "sort-by" }, "Sort by", el("select", { onchange: choose }, el("option", { value: "" }, "order of the file"), options));
}

function moreButton(table, count) {
  if (table.all || count <= FIRST_ROWS) return null;
  const show = () => {
    table.all = true;
    drawTable(table);
  };
  return el("div", { class: "more" }, el("button", { type: "button", class: "quiet", onclick: show }, `Show all ${number(count)} rows`),
    el("span", { class: "soft" }, ` The first ${FIRST_ROWS} are shown.`));
}

// Bring the selected row into sight inside its own box, without moving the page.
function revealRow(table) {
  const row = byId(table.box).querySelector("tr.selected");
  const scroll = row?.closest(".scroll");
  if (!scroll) return;
  const head = scroll.querySelector("thead").offsetHeight;
  const above = row.offsetTop - head, below = row.offsetTop + row.offsetHeight - scroll.clientHeight;
  if (scroll.scrollTop > above) scroll.scrollTop = above;
  else if (scroll.scrollTop < below) scroll.scrollTop = below;
}

// ---- the filter ----

function drawFilters() {
  const counts = groupBy(plan.requests, (r) => r.outcome);
  const search = el("input", { type: "search", id: "filter-text", placeholder: "Filter by name, purpose or reason", "aria-label": "Filter the requests",
    oninput: (event) => setFilter({ text: event.target.value.trim() }) });
  const toggles = OUTCOMES.map((outcome) => {
    const toggle = el("button", { type: "button", class: "toggle", "aria-pressed": "true", onclick: () => toggleOutcome(outcome, toggle) },
      el("i", { class: `mark ${outcomeClass(outcome)}` }), `${outcome} ${number(counts.get(outcome)?.length ?? 0)}`);
    return toggle;
  });
  byId("request-filters").replaceChildren(search, ...toggles, reasonChoice(), el("span", { class: "count", id: "filter-count", "aria-live": "polite" }));
}

function reasonChoice() {
  const codes = [...new Set(plan.requests.map((r) => r.reason?.code).filter(Boolean))].sort();
  const options = codes.map((code) => el("option", { value: code }, code.replaceAll("_", " ")));
  return el("select", { id: "filter-reason", "aria-label": "Reason", onchange: (event) => setFilter({ reason: event.target.value }) },
    el("option", { value: "" }, "any reason"), options);
}

function toggleOutcome(outcome, toggle) {
  const { outcomes } = state.filter;
  if (!outcomes.delete(outcome)) outcomes.add(outcome);
  toggle.setAttribute("aria-pressed", String(outcomes.has(outcome)));
  setFilter({});
}

function setFilter(change) {
  Object.assign(state.filter, change);
  announce("filter");
}

function showCount() {
  const shown = plan.requests.filter(matchesFilter).length;
  byId("filter-count").textContent = shown === plan.requests.length ? `${number(shown)} requests` : `${number(shown)} of ${number(plan.requests.length)} requests`;
}

function startTables() {
  if (plan.requests.length) {
    drawFilters();
    on("filter", showCount);
    showCount();
  }
  const tables = [requestTable, acquisitionTable, ...(products.length ? [productTable] : [])];
  on("filter", oncePerFrame(() => tables.forEach(drawTable)));
  on("selection", oncePerFrame(() => {
    for (const table of tables) {
      markRows(table);
      revealRow(table);
    }
  }));
  tables.forEach(drawTable);
  for (const button of document.querySelectorAll("[data-reason]")) {
    button.addEventListener("click", () => {
      byId("filter-reason").value = button.dataset.reason;
      setFilter({ reason: button.dataset.reason });
      byId("requests").scrollIntoView();
    });
  }
}
