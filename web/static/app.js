// What scripts add to pages that work without them: copying, the theme switch, keys, charts, toasts.
'use strict';
document.documentElement.classList.add('scripted');

// <button data-copy="#id"> or <button data-copy-text="...">
document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-text]');
    if (!button) return;
    const text = button.dataset.copyText ?? shownText(button);
    const label = button.querySelector('[data-label]');
    const before = label?.textContent;
    try {
        await navigator.clipboard.writeText(text);
        announce('Copied');
        if (label) label.textContent = 'Copied';
    } catch {
        announce('Copying is not allowed here: select the text instead');
    }
    if (label) setTimeout(() => { label.textContent = before; }, 1500);
});

// Of a snippet with tabs the one that is shown.
function shownText(button) {
    const place = document.querySelector(button.dataset.copy);
    const shown = [...place.querySelectorAll('pre')].find((pre) => pre.offsetParent);
    return (shown ?? place).textContent.trim();
}

function announce(text) {
    const line = document.querySelector('#announce');
    if (line) line.textContent = text;
}

// The theme: light, dark, or the system's; kept in a cookie so that the server writes it into <html>.
function isDark() {
    const set = document.documentElement.dataset.theme;
    return set ? set === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-theme-switch]')) return;
    const theme = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `tollgate_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    document.dispatchEvent(new Event('themechange'));
});

// Keys: `/` the search, `g` and a letter a section, `?` the list, Esc closes.
const NEVER = -Infinity;
let went = NEVER;
document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
        document.querySelectorAll('details.menu[open]').forEach((menu) => menu.removeAttribute('open'));
        return;
    }
    if (event.target.closest('input, select, textarea, [contenteditable]')) return;
    if (event.key === '/') {
        const search = document.querySelector('[data-search]');
        event.preventDefault();
        if (search) { search.focus(); search.select?.(); } else document.querySelector('.rail a[data-key="l"]')?.click();
    } else if (event.key === '?') {
        document.querySelector('#keys-help')?.showModal();
    } else if (event.key === 'g') {
        went = event.timeStamp;
    } else if (event.timeStamp - went < 1200) {
        went = NEVER;
        document.querySelector(`.rail a[data-key="${CSS.escape(event.key)}"]`)?.click();
    }
});

document.addEventListener('click', (event) => {
    document.querySelectorAll('details.menu[open]').forEach((menu) => {
        if (!menu.contains(event.target)) menu.removeAttribute('open');
    });
    if (event.target.matches('[data-close]')) event.target.closest('dialog')?.close();
});

// The section that one is in stands in sight, also in a window lower than the list of them.
{
    const rail = document.querySelector('.rail'), here = rail?.querySelector('[aria-current]');
    const seen = rail?.querySelector('.menu.up')?.getBoundingClientRect().top;
    if (here && here.getBoundingClientRect().bottom > seen) rail.scrollTop = here.offsetTop - rail.clientHeight / 2;
}

// A toast goes away by itself; pointing at it keeps it.
document.querySelectorAll('.toast').forEach((toast) => {
    const go = () => setTimeout(() => { if (!toast.matches(':hover, :focus-within')) toast.remove(); else go(); }, 5000);
    go();
});

// Buttons with data-confirm ask first, in the words of the button; without scripts they do not.
function ask(button) {
    const dialog = document.querySelector('#ask');
    dialog.querySelector('[data-question]').textContent = button.dataset.confirm;
    const yes = dialog.querySelector('[value="yes"]');
    yes.textContent = button.textContent.trim();
    yes.classList.toggle('danger', !button.classList.contains('primary'));
    dialog.returnValue = '';
    dialog.onclose = () => {
        if (dialog.returnValue !== 'yes') return;
        button.dataset.asked = '';
        button.form.requestSubmit(button);
    };
    dialog.showModal();
}

document.addEventListener('submit', (event) => {
    if (event.submitter?.dataset.confirm && event.submitter.dataset.asked === undefined) {
        event.preventDefault();
        ask(event.submitter);
        return;
    }
    if (event.target.method === 'post' && event.submitter) {
        const button = event.submitter;
        setTimeout(() => { button.disabled = true; });
        addEventListener('pageshow', () => { button.disabled = false; }, { once: true });
    }
});

// Selects that mean "show me this" submit their form.
document.addEventListener('change', (event) => {
    if (event.target.closest('[data-submit-on-change]')) event.target.form.requestSubmit();
});

// Filters that are not set do not stand in the address.
document.addEventListener('formdata', (event) => {
    if (!event.target.matches('[data-tidy]')) return;
    [...event.formData].forEach(([name, value]) => { if (value === '') event.formData.delete(name); });
});
