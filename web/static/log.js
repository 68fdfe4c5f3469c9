// The request log: a row opens beside the list, columns are chosen, new requests are looked for.
// Without it a row is a link to its page, and the list is read again by loading it.
'use strict';
(() => {
    const LIVE_MS = 3000;
    const WIDE = matchMedia('(min-width: 1000px)');
    const results = () => document.querySelector('#results');
    const rows = () => [...document.querySelectorAll('.log tbody tr')];
    const linkOf = (row) => row?.querySelector('.row-link');

    // --- the panel ---
    let panel, shown, asked = 0;

    const bar = document.querySelector('#panel-bar');

    function shut() {
        if (!panel) return;
        panel.remove();
        panel = undefined;
        rows().forEach((row) => row.classList.remove('open'));
        history.replaceState(null, '', location.pathname + location.search);
        rows().map(linkOf).find((link) => link.href === shown)?.focus();
    }

    async function open(href) {
        const turn = ++asked;
        const answer = await fetch(href, { headers: { accept: 'text/html' } });
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        if (turn !== asked) return;
        const content = page.querySelector('#content .content');
        if (!answer.ok || !content) { location.href = href; return; }
        if (!panel) {
            panel = document.createElement('aside');
            panel.className = 'panel';
            panel.tabIndex = -1;
            panel.setAttribute('aria-label', 'Request');
            document.querySelector('#content').append(panel);
        }
        panel.replaceChildren(bar.content.cloneNode(true), ...content.childNodes);
        panel.querySelector('[data-page]').href = href;
        panel.scrollTop = 0;
        panel.focus({ preventScroll: true });
        shown = href;
        mark();
        history.replaceState(null, '', `#${href.split('/').pop()}`);
    }

    function mark() {
        rows().forEach((row) => row.classList.toggle('open', Boolean(panel) && linkOf(row).href === shown));
        document.querySelector('.log tr.open')?.scrollIntoView({ block: 'nearest' });
    }

    function step(by) {
        const list = rows();
        const at = list.findIndex((row) => linkOf(row).href === shown || row.contains(document.activeElement));
        const next = list[at < 0 ? 0 : at + by];
        if (!next) return;
        if (panel) open(linkOf(next).href);
        else linkOf(next).focus();
    }

    document.addEventListener('click', (event) => {
        if (event.target.closest('[data-shut]')) { shut(); return; }
        const button = event.target.closest('[data-step]');
        if (button) { step(Number(button.dataset.step)); return; }
        const row = event.target.closest('.log tbody tr');
        if (!row || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        if (getSelection().toString()) return;
        if (!WIDE.matches) { if (!event.target.closest('a')) linkOf(row).click(); return; }
        event.preventDefault();
        open(linkOf(row).href);
    });

    document.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
        if (event.key === 'j') step(1);
        else if (event.key === 'k') step(-1);
        else if (event.key === 'Escape' && panel) shut();
    });

    // --- a period or days: of the two the form shows the one that was chosen last ---
    const inForm = (name) => document.querySelector(`.filters [name=${name}]`);

    function choosePeriod() {
        inForm('from').value = inForm('to').value = '';
        inForm('days')?.remove();
    }

    function chooseDays() {
        const period = inForm('period');
        const any = Boolean(inForm('from').value || inForm('to').value);
        if (any && ![...period.options].some((option) => option.value === '')) period.add(new Option('days below', ''), 0);
        if (any || period.value === '') period.value = any ? '' : period.dataset.usual;
    }

    // Before the form is sent, which the same event brings about.
    document.addEventListener('change', (event) => {
        if (event.target === inForm('period') && event.target.value) choosePeriod();
        else if (event.target === inForm('from') || event.target === inForm('to')) chooseDays();
    }, true);

    // --- columns, kept in a cookie so that the server writes them into the table ---
    const byDefault = (name) => name !== 'ttfb';
    const table = () => document.querySelector('.log');
    const isShown = (name) => (byDefault(name) ? !table()?.classList.contains(`hide-${name}`) : Boolean(table()?.classList.contains(`show-${name}`)));

    function showChoice() {
        document.querySelectorAll('[data-columns] input').forEach((box) => { box.checked = isShown(box.value); });
    }

    document.addEventListener('change', (event) => {
        const box = event.target.closest('[data-columns] input');
        if (!box || !table()) return;
        table().classList.toggle(byDefault(box.value) ? `hide-${box.value}` : `show-${box.value}`, box.checked !== byDefault(box.value));
        const kept = [...table().classList].filter((name) => /^(hide|show)-/.test(name)).join('.');
        const secure = location.protocol === 'https:' ? '; Secure' : '';
        document.cookie = `tollgate_columns=${kept}; Path=/; Max-Age=${kept ? 31536000 : 0}; SameSite=Lax${secure}`;
    });

    // --- live: the newest page is read again while it is looked at ---
    let live = false;

    async function look() {
        if (!live || document.hidden || panel || document.querySelector('.log a:focus')) return;
        const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
        if (!answer.ok || !live) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#results');
        const here = results().querySelector('.log tbody');
        const there = fresh?.querySelector('.log tbody');
        if (!there) return;
        if (here) here.replaceWith(there);
        else results().replaceWith(fresh);
        showLive();
    }

    function showLive() {
        document.querySelectorAll('[data-live]').forEach((button) => button.setAttribute('aria-pressed', String(live)));
    }

    document.addEventListener('click', (event) => {
        if (!event.target.closest('[data-live]')) return;
        live = !live;
        showLive();
        look();
    });
    setInterval(() => { look().catch(() => { live = false; showLive(); }); }, LIVE_MS);

    // A filter has put other results there.
    new MutationObserver(() => { showChoice(); showLive(); }).observe(document.querySelector('#results').parentElement, { childList: true });
    showChoice();
    const named = location.hash.match(/^#(call_[0-9a-z]{32})$/)?.[1];
    if (named && WIDE.matches) open(new URL(`log/${named}`, location.origin).href);
})();
