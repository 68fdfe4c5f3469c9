// Charts: <div class="chart" data-chart="{...}"></div> with {kind, unit, days, series: [{label, values}]}
// drawn by uPlot; the table with the same figures stands beneath, for everybody.
'use strict';
(() => {
    const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

    // light-dark() is resolved only in real properties, so a probe is asked.
    const probe = document.createElement('i');
    probe.hidden = true;
    document.body.append(probe);
    const colour = (name) => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const shade = (i) => colour(`--chart-${Math.min(i, 7) + 1}`);

    const dollars = (v) => (v == null ? '' : `$${v.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: v && Math.abs(v) < 1 ? 6 : 2 })}`);
    const count = (v) => (v == null ? '' : v.toLocaleString('en'));

    // Each series on top of those before it; uPlot paints the tallest first.
    function stack(series) {
        const sums = [];
        return series.map((s) => s.values.map((v, i) => (sums[i] = (sums[i] ?? 0) + v)));
    }

    function draw(place) {
        const data = JSON.parse(place.dataset.chart);
        const format = data.unit === 'usd' ? dollars : count;
        const x = data.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
        const stacked = stack(data.series);
        const order = data.series.map((_, i) => i).reverse();
        const axis = { stroke: colour('--text-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: `12px ${css('--sans')}` };
        const options = {
            width: place.clientWidth,
            height: 240,
            tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), 'UTC'),
            legend: { live: true, markers: { width: 0 } },
            cursor: { points: { show: false }, drag: { x: false, y: false } },
            scales: { x: { range: (_, min, max) => [min - 43200, max + 43200] }, y: { range: (_, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
            axes: [
                { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((t) => new Date(t * 1e3).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })), space: 70, incrs: [86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400] },
                { ...axis, size: 74, values: (_, ticks) => ticks.map(format) },
            ],
            series: [
                { label: 'Day', value: (_, t) => (t == null ? '–' : new Date(t * 1e3).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })) },
                ...order.map((i) => ({
                    label: data.series[i].label,
                    fill: shade(i),
                    width: 0,
                    points: { show: false },
                    paths: uPlot.paths.bars({ size: [0.7, 48], radius: i === data.series.length - 1 ? 0.1 : 0 }),
                    value: (_, __, ___, at) => (at == null ? '–' : format(data.series[i].values[at])),
                })),
            ],
        };
        place.replaceChildren();
        return new uPlot(options, [x, ...order.map((i) => stacked[i])], place);
    }

    const drawn = new Map();
    function drawAll() {
        document.querySelectorAll('.chart[data-chart]').forEach((place) => drawn.set(place, draw(place)));
    }
    addEventListener('resize', () => drawn.forEach((plot, place) => plot.setSize({ width: place.clientWidth, height: 240 })));
    document.addEventListener('themechange', drawAll);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
    drawAll();
})();
