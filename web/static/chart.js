// Charts: <div class="chart" data-chart="{...}"></div> with {unit, days, series: [{label, values, texts}]}
// drawn by uPlot as bars by day; its legend and the table with the same figures stand beneath, for
// everybody. A day that is pointed at puts its figures into the legend; a click opens its requests.
'use strict';
(() => {
    const HEIGHT = 220;
    const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

    // light-dark() is resolved only in real properties, so a probe is asked.
    const probe = document.createElement('i');
    probe.hidden = true;
    document.body.append(probe);
    const colour = (name) => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const shade = (i) => colour(`--chart-${i + 1}`);

    const day = (seconds, year) => new Date(seconds * 1e3).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year, timeZone: 'UTC' });
    const dollars = (v, digits) => `$${v.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
    const ticks = (values, step) => {
        const digits = Math.max(2, Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)));
        return values.map((v) => dollars(v, digits));
    };

    // Each series on top of those before it; uPlot paints the tallest first.
    function stack(series) {
        const sums = [];
        return series.map((s) => s.values.map((v, i) => (sums[i] = (sums[i] ?? 0) + v)));
    }

    // Puts the figures of the day at `at` into the legend; null: those of the whole time again.
    function tell(place, data, at) {
        const legend = place.parentElement.querySelector('.chart-legend');
        const title = legend.querySelector('[data-day]');
        title.textContent = at == null ? (title.dataset.all ??= title.textContent) : day(Date.parse(data.days[at]) / 1e3, 'numeric');
        legend.querySelectorAll('[data-total]').forEach((figure, i) => {
            figure.dataset.all ??= figure.textContent;
            figure.textContent = at == null ? figure.dataset.all : data.series[i].texts[at];
        });
    }

    function draw(place) {
        const data = JSON.parse(place.dataset.chart);
        const x = data.days.map((d) => Date.parse(`${d}T00:00:00Z`) / 1000);
        const stacked = stack(data.series);
        const order = data.series.map((_, i) => i).reverse();
        const axis = { stroke: colour('--text-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: `12px ${css('--sans')}` };
        const legend = place.parentElement.querySelector('[data-day]');
        legend.dataset.all ??= legend.textContent;
        const options = {
            width: place.clientWidth,
            height: HEIGHT,
            padding: [8, 20, 0, 0], // half a label stands beyond the last day
            tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), 'UTC'),
            legend: { show: false },
            cursor: { points: { show: false }, drag: { x: false, y: false }, y: false },
            scales: { x: { range: (_, min, max) => [min - 43200, max + 43200] }, y: { range: (_, min, max) => [0, max > 0 ? max * 1.05 : 1] } },
            axes: [
                { ...axis, size: 26, grid: { show: false }, values: (_, all) => all.map((t) => day(t)), space: 60, incrs: [1, 2, 7, 14, 28].map((n) => n * 86400) },
                { ...axis, size: (u, values) => 14 + 7 * Math.max(5, ...(values ?? []).map((v) => v.length)), space: 36, values: (_, all, i, space, step) => ticks(all, step) },
            ],
            series: [
                {},
                ...order.map((i) => ({
                    fill: shade(i),
                    width: 0,
                    points: { show: false },
                    paths: uPlot.paths.bars({ size: [0.72, 44], radius: i === data.series.length - 1 ? 0.08 : 0 }),
                })),
            ],
            hooks: { setCursor: [(u) => tell(place, data, u.cursor.idx ?? null)] },
        };
        place.replaceChildren();
        const plot = new uPlot(options, [x, ...order.map((i) => stacked[i])], place);
        plot.over.addEventListener('click', () => {
            const at = plot.cursor.idx;
            if (at != null) location.href = place.dataset.dayLink.replaceAll('DAY', data.days[at]);
        });
        return plot;
    }

    const drawn = new Map();
    function drawAll() {
        document.querySelectorAll('.chart[data-chart]').forEach((place) => {
            drawn.get(place)?.destroy();
            drawn.set(place, draw(place));
        });
    }
    addEventListener('resize', () => drawn.forEach((plot, place) => plot.setSize({ width: place.clientWidth, height: HEIGHT })));
    document.addEventListener('themechange', drawAll);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
    drawAll();
})();
