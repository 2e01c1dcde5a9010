// Draws the charts of the page from the JSON beside each of them.
(() => {
  "use strict";
  const HEIGHT = 280;
  const TITLE = 32;
  const FEW = 12;
  const DASHES = [[], [8, 4], [2, 3]];
  const COLOURS = 6;
  const plots = [];

  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const colour = (i) => theme("s" + (i % COLOURS));
  const minus = (text) => text.replace("-", "−");
  const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
  const small = (v) => v !== 0 && Math.abs(v) < 1e-4;
  const number = (v) => (v == null ? "–" : minus(small(v) ? v.toExponential(2) : digits.format(v)));

  // Shows an interval wherever its estimate is shown, and a bin instead of its centre.
  const value = (line) => (u, v, s, i) => {
    const known = line.low && i != null && line.low[i] != null;
    return number(v) + (known ? ` [${number(line.low[i])}, ${number(line.high[i])}]` : "");
  };
  const place = (data) => (u, v) => {
    if (v == null || data.kind !== "bars") return number(v);
    return `${number(v - data.width / 2)} to ${number(v + data.width / 2)}`;
  };

  const bars = (data) => ({ paths: uPlot.paths.bars({ size: [0.9, 100] }), fill: colour(0), points: { show: false } });
  const end = (line, i, values) => ({
    label: line.name, class: "end", stroke: "transparent", width: 0, points: { show: false }, value: () => "",
  });

  // Returns the columns, series and bands of uPlot; the ends of an interval are two series of their own.
  const columns = (data) => {
    const all = { values: [data.x], series: [{ label: data.xLabel, value: place(data) }], bands: [] };
    data.series.forEach((line, i) => {
      const look = data.kind === "bars" ? bars(data) : { dash: DASHES[Math.floor(i / COLOURS) % 3], points: { size: 5, show: data.x.length <= FEW } };
      all.series.push({ label: line.name, stroke: colour(i), width: 2, value: value(line), ...look });
      all.values.push(line.values);
      if (!line.low) return;
      const high = all.values.length;
      all.bands.push({ series: [high, high + 1], fill: colour(i) + "33" });
      all.series.push(end(line), end(line));
      all.values.push(line.high, line.low);
    });
    return all;
  };

  const axis = (label, extra) => ({
    label, labelSize: 22, labelGap: 4, labelFont: "12px system-ui, sans-serif", font: "12px system-ui, sans-serif",
    stroke: theme("soft"), grid: { stroke: theme("grid"), width: 1 }, ticks: { stroke: theme("grid"), width: 1 },
    values: (u, splits) => splits.map(number), ...extra,
  });
  // Makes room for the longest label; a fixed width would cut six digits and a sign.
  const room = (u, labels, at, cycle) => {
    if (cycle > 1) return u.axes[at]._size;
    return 22 + 7 * Math.max(3, ...(labels || []).map((label) => (label || "").length));
  };
  // The heading above names the quantity; the axis repeats it where the plot is high enough.
  const yTitle = (data) => (data.yLabel.length > TITLE && data.unit ? data.unit : data.yLabel);
  const whole = (x) => x.every((v) => Number.isInteger(v));
  const steps = [1, 2, 5].flatMap((m) => [0, 1, 2, 3, 4, 5, 6, 7].map((e) => m * 10 ** e)).sort((a, b) => a - b);

  const along = { space: 44, size: 34 };

  const span = (data) => (u, low, high) => {
    if (low == null) return [0, 1];
    if (data.kind === "bars") return [low - data.width / 2, high + data.width / 2];
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  };
  const counts = (u, low, high) => [0, Math.max(1, high || 0) * 1.08];

  // Keeps the last values of lines in the legend while no place is pointed at; no bin stands out so.
  const rest = (data) => (u) => {
    if (data.kind === "lines" && u.cursor.left < 0) u.setLegend({ idx: data.x.length - 1 }, false);
  };

  const options = (data, all, width) => ({
    width, height: HEIGHT, series: all.series, bands: all.bands,
    scales: { x: { time: false, range: span(data) }, y: data.kind === "bars" ? { range: counts } : {} },
    axes: [
      axis(data.xLabel, whole(data.x) ? { incrs: steps, ...along } : along),
      axis(yTitle(data), { size: room, ...(data.kind === "bars" ? { incrs: steps } : {}) }),
    ],
    cursor: { y: false, sync: { key: data.xLabel } },
    hooks: { ready: [rest(data)], setCursor: [rest(data)] },
  });

  const draw = (plot) => {
    if (plot.chart) plot.chart.destroy();
    const all = columns(plot.data);
    plot.chart = new uPlot(options(plot.data, all, plot.box.clientWidth), all.values, plot.box);
  };
  const fit = (plot) => {
    const width = plot.box.clientWidth;
    if (plot.chart && width > 0 && width !== plot.chart.width) plot.chart.setSize({ width, height: HEIGHT });
  };

  for (const card of document.querySelectorAll(".chart")) {
    const data = JSON.parse(card.querySelector("script").textContent);
    const box = card.querySelector(".plot");
    box.style.display = "block";
    if (!data.series.some((line) => line.values.some((v) => v != null))) {
      box.textContent = "No values.";
      continue;
    }
    const plot = { box, data, chart: null };
    draw(plot);
    plots.push(plot);
    new ResizeObserver(() => fit(plot)).observe(box);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(draw));
})();
