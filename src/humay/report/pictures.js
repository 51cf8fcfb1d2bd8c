// The pictures: tabs of a card, the way from a product back to its request, and from there to its products.

const cards = [...document.querySelectorAll(".picture")];
const acquisitionOfCard = new Map(cards.map((card) => [card, plan.acquisitions[card.dataset.acquisition]]));
const smallPictures = new Map(); // by acquisition, for the box that follows the pointer

const productTable = {
  box: "product-table", label: "Products", cards: false, rows: products, all: false, sort: null,
  shown: () => products.filter((p) => matchesAcquisition(acquisitionOf(p))),
  chosen: (p) => acquisitionOf(p) === state.acquisition && !tabsOf(p)[p.panel].matches("[aria-selected=false]"),
  empty: () => "No product fits the filter.",
  columns: [
    { title: "Product", head: true, value: (p) => p.id, cell: (p) => [productLink(p, p.id), el("small", { class: "name" }, acquisitionOf(p).request)] },
    { title: "Level", value: (p) => p.level, cell: (p) => p.level },
    { title: "Acquired, UTC", kind: "moment", value: (p) => p.acquired_s, cell: (p) => timeText(p.acquired_s) },
    { title: "Satellite", value: (p) => p.satellite, cell: (p) => p.satellite },
    figureColumn("GSD, m", (p) => p.native_gsd_m, 2),
    figureColumn("Grid, m", (p) => p.pixel_m, 1),
    { title: "Off-nadir", number: true, value: (p) => p.off_nadir_deg, cell: (p) => degrees(p.off_nadir_deg) },
    { title: "Sun", number: true, value: (p) => p.sun_elevation_deg, cell: (p) => degrees(p.sun_elevation_deg) },
    figureColumn("Predicted CE90, m", (p) => p.ce90_predicted_m, 2),
    figureColumn("CE90, m", (p) => p.location?.ce90_m, 2),
    figureColumn("CE90, px", (p) => p.location?.ce90_px, 2),
    figureColumn("Mean, px", (p) => p.location?.mean_px, 2),
    figureColumn("Points", (p) => p.location?.points, 0),
    figureColumn("Largest bias, %", (p) => p.bias_percent, 2),
    figureColumn("Noise ratio", (p) => p.noise_ratio, 2),
    figureColumn("Saturated, %", (p) => 100 * p.saturated_share, 3),
    figureColumn("Files, MB", (p) => p.bytes / 1e6, 1),
  ],
};

// What was not measured is a dash and comes last.
function figureColumn(title, value, digits) {
  return { title, number: true, value: (p) => value(p) ?? Infinity, cell: (p) => number(value(p), digits) };
}

function acquisitionOf(product) {
  return acquisitionOfCard.get(cards[product.card]);
}

function matchesAcquisition(a) {
  return !requestByName.has(a.request) || matchesFilter(requestByName.get(a.request));
}

// ---- from a request or an acquisition to its products ----

function productLink(product, text) {
  return el("button", { type: "button", class: "link name", onclick: () => showPicture(product) }, text);
}

function productLinks(a) {
  return (productsOf.get(a.id) ?? []).flatMap((p, i) => [i ? ", " : null, productLink(p, p.level.replace(/^L1C-/, ""))]);
}

// What became of an acquisition, for the details: missed, or pictured, or neither is known.
function flownDetails(a) {
  const off = missed.get(a.id);
  const made = productsOf.get(a.id) ?? [];
  return [
    off ? el("p", { class: "missed" }, el("b", {}, "Missed: "), `${number(off[0])} m along and ${number(off[1])} m across the track`) : null,
    made.length ? el("p", {}, "Products: ", made.flatMap((p, i) => [i ? ", " : null, productLink(p, p.title)])) : null,
    made.length && a === state.acquisition ? largerPicture(made[0]) : null,
  ];
}

function largerPicture(product) {
  const picture = pictureOf(product);
  return picture && el("button", { type: "button", class: "look", onclick: () => showPicture(product) }, picture.cloneNode());
}

// One node for each acquisition, moved into the box each time: a new one would be decoded at every move.
function smallPicture(a) {
  const picture = productsOf.has(a.id) && pictureOf(productsOf.get(a.id)[0]);
  if (!picture) return null;
  if (!smallPictures.has(a)) smallPictures.set(a, picture.cloneNode());
  return smallPictures.get(a);
}

function pictureOf(product) {
  return panelsOf(cards[product.card])[product.panel].querySelector("img");
}

function showPicture(product) {
  const card = cards[product.card];
  const a = acquisitionOf(product);
  openTab(card, product.panel);
  select(requestByName.get(a.request), a);
  card.scrollIntoView();
  tabsOf(product)[product.panel].focus({ preventScroll: true });
}

// ---- the tabs of a card ----

function panelsOf(card) {
  return [...card.querySelectorAll(".panel")];
}

function tabsOf(product) {
  return [...cards[product.card].querySelectorAll("[role=tab]")];
}

function openTab(card, index) {
  card.querySelectorAll("[role=tab]").forEach((tab, i) => {
    tab.setAttribute("aria-selected", String(i === index));
    tab.tabIndex = i === index ? 0 : -1;
  });
  panelsOf(card).forEach((panel, i) => { panel.hidden = i !== index; });
  markRows(productTable);
}

function tabKeys(event, card) {
  const tabs = [...card.querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = (to + tabs.length) % tabs.length;
  openTab(card, next);
  tabs[next].focus();
}

// ---- from a product back to its acquisition, strip and request ----

// Each selects; then the request is told in the details, the strip lies on the map, the acquisition is a row.
const GO_TO = {
  request() {
    byId("map").scrollIntoView();
    if (state.request) showPlace(state.request);
    detailsBox.tabIndex = -1;
    detailsBox.focus({ preventScroll: true });
    if (innerWidth <= 1000) detailsBox.scrollIntoView(); // it lies below the map there
  },
  strip() {
    byId("map").scrollIntoView();
    fitBox(ringBounds(strips.find((s) => s.acquisition === state.acquisition).ring), 0.1);
    mapCanvas.focus({ preventScroll: true });
  },
  acquisition() {
    byId("acquisitions").scrollIntoView();
    drawTable(acquisitionTable);
    revealRow(acquisitionTable);
    byId("acquisition-table").querySelector("tr.selected button")?.focus({ preventScroll: true });
  },
};

function followWay(event) {
  const link = event.target.closest("[data-goto]");
  if (!link) return;
  const a = plan.acquisitions[link.closest("[data-acquisition]").dataset.acquisition];
  event.preventDefault();
  select(requestByName.get(a.request), a);
  GO_TO[link.dataset.goto]();
}

function markCards() {
  for (const card of cards) card.classList.toggle("selected", acquisitionOfCard.get(card) === state.acquisition);
}

function dimCards() {
  for (const card of cards) card.classList.toggle("dimmed", !matchesAcquisition(acquisitionOfCard.get(card)));
}

function startPictures() {
  for (const card of cards) {
    openTab(card, 0);
    for (const tab of card.querySelectorAll("[role=tab]")) {
      tab.addEventListener("click", () => openTab(card, [...tab.parentElement.children].indexOf(tab)));
      tab.addEventListener("keydown", (event) => tabKeys(event, card));
    }
  }
  document.addEventListener("click", followWay);
  on("selection", markCards);
  on("filter", dimCards);
}
