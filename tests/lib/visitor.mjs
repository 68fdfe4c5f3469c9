// visitor.mjs: a browser without scripts: cookies, pages, and forms submitted as they stand on the
// page with some fields filled in. What the dashboard promises to work without scripts is tested by it.
const decode = (s) => s.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;|&#x27;/g, "'").replace(/&amp;/g, '&');
const attribute = (tag, name) => {
  const m = tag.match(new RegExp(`\\b${name}="([^"]*)"`));
  return m ? decode(m[1]) : undefined;
};

export class Page {
  constructor(status, url, headers, body) {
    Object.assign(this, { status, url, headers, body });
  }

  get text() {
    return decode(this.body.replace(/<(script|style|svg)[\s\S]*?<\/\1>/g, ' ').replace(/<[^>]+>/g, ' ')).replace(/\s+/g, ' ');
  }

  forms() {
    return [...this.body.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head, inside]) => {
      const fields = {};
      const add = (name, value) => {
        fields[name] = name in fields ? [].concat(fields[name], value) : value;
      };
      for (const [tag] of inside.matchAll(/<input\b[^>]*>/g)) {
        const name = attribute(tag, 'name');
        const type = attribute(tag, 'type') ?? 'text';
        if (!name || (/checkbox|radio/.test(type) && !/\bchecked\b/.test(tag)) || /submit|button/.test(type)) continue;
        add(name, attribute(tag, 'value') ?? (type === 'checkbox' ? 'on' : ''));
      }
      for (const [, tag, options] of inside.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
        const all = [...options.matchAll(/<option\b([^>]*)>([^<]*)/g)];
        const chosen = all.find(([, o]) => /\bselected\b/.test(o)) ?? all[0];
        if (chosen) add(attribute(tag, 'name'), attribute(chosen[1], 'value') ?? decode(chosen[2]).trim());
      }
      for (const [, tag, content] of inside.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/g))
        add(attribute(tag, 'name'), decode(content));
      return { action: attribute(head, 'action') ?? '', method: (attribute(head, 'method') ?? 'get').toLowerCase(), fields, html: inside };
    });
  }

  form(pattern) {
    const forms = this.forms();
    const found = forms.find((f) => pattern.test(f.action)) ?? forms.find((f) => pattern.test(f.html));
    if (!found) throw new Error(`no form like ${pattern} on ${this.url}: ${this.forms().map((f) => f.action).join(', ')}`);
    return found;
  }
}

export class Visitor {
  constructor(base) {
    this.base = base;
    this.cookies = new Map();
  }

  async request(path, options = {}, hops = 0) {
    const url = new URL(path, this.base);
    const headers = { ...options.headers };
    if (this.cookies.size) headers.cookie = [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; ');
    const res = await fetch(url, { ...options, headers, redirect: 'manual' });
    for (const line of res.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '' || attributes.some((a) => /max-age=0/i.test(a))) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    if (res.status >= 300 && res.status < 400 && hops < 5) {
      await res.arrayBuffer();
      return this.request(new URL(res.headers.get('location'), url).href, {}, hops + 1);
    }
    return new Page(res.status, url.href, res.headers, await res.text());
  }

  get(path) {
    return this.request(path);
  }

  async raw(path) {
    const headers = { cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; ') };
    const res = await fetch(new URL(path, this.base), { headers });
    return { status: res.status, headers: res.headers, bytes: Buffer.from(await res.arrayBuffer()) };
  }

  // Opens page, finds the form whose action or content matches, fills fields in, submits.
  async submit(page, pattern, fields = {}) {
    const at = typeof page === 'string' ? await this.get(page) : page;
    const form = at.form(pattern);
    const data = new URLSearchParams();
    for (const [k, v] of Object.entries({ ...form.fields, ...fields }))
      if (v !== undefined) [].concat(v).forEach((one) => data.append(k, one));
    const target = new URL(form.action, at.url);
    if (form.method === 'get') return this.get(`${target.pathname}?${data}`);
    return this.request(target.href, {
      method: 'POST', body: data.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(this.base).origin },
    });
  }
}
