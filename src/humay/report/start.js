// Everything is in place: draw, and draw again when the screen, the colours or the paper change.

function drawAll() {
  colours = null;
  drawMap();
  drawMapLegend();
  drawTimeline();
}

startDetails();
startTables();
startPictures();
startMap();
startTimeline();
drawAll();

new ResizeObserver(drawAll).observe(document.querySelector("main"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
matchMedia("(min-resolution: 1.5dppx)").addEventListener("change", drawAll);
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    document.documentElement.toggleAttribute("data-printing", printing);
    colours = null;
    for (const draw of [drawMap, drawTimeline]) draw.now(); // paper does not wait for a frame
  });
}
addEventListener("scroll", hideTip, { passive: true });
