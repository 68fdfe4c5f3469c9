// Payments by Stripe, whole: a team pays on its page, and its events come repeated, out of order, late, forged
// or not at all. Stripe is tests/lib/stripe.mjs; the events are signed by its own library.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { startServer } from '../lib/server.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { booksBalance, installationKey, manage, mintManagementKey, signInOperator, signUp } from '../lib/installation.mjs';
import { deliver, sign, startStripe } from '../lib/stripe.mjs';

let stripe, server, operator, owner, whole, ask, team;
const OLD_SECRET = 'whsec_theonebefore0123456789';

const nano = (text) => {
  const [, sign, dollars, rest = ''] = text.match(/^(-?)(\d+)(?:\.(\d+))?$/);
  return (sign ? -1n : 1n) * (BigInt(dollars) * 1000000000n + BigInt(rest.padEnd(9, '0')));
};
const posted = async () => nano((await ask('GET', '/balance')).json.posted);
const dollars = (n) => BigInt(Math.round(n * 100)) * 10000000n;

// An order as the page makes it: {id, reference, session}. The browser is at Stripe's page afterwards.
async function begin(amount = '20') {
  const page = await owner.submit('/billing', /top-up/, { amount, provider: 'stripe' });
  assert.equal(page.status, 200, page.text.slice(0, 300));
  assert.ok(page.url.startsWith(`${stripe.url}/c/cs_test_`), page.url);
  const session = stripe.sessions.get(page.url.split('/').at(-1));
  const [order] = server.sql(`SELECT id, reference FROM topup_order WHERE reference = '${session.metadata.tollgate_order}'`);
  return { ...order, session };
}
const stateOf = (order) => server.sql(`SELECT state, note FROM topup_order WHERE id = ${order.id}`)[0];
const seen = async (order) => (await owner.get(`/billing/orders/${order.id}`)).text;

async function tell(type, object, payload = stripe.event(type, object)) {
  const res = await deliver(server, payload, stripe.secret);
  assert.equal(res.status, 200, `${type}: ${res.text}`);
  return payload;
}
async function paid(amount) {
  const order = await begin(amount);
  await tell('checkout.session.completed', stripe.pay(order.session));
  assert.equal(stateOf(order).state, 'paid');
  return order;
}

// Stripe is asked after an order now, and what it said is done.
async function lookAt(order) {
  const before = stripe.seen.filter((s) => s.path.endsWith(order.session.id)).length;
  server.psql(`UPDATE stripe_checkout SET ask_at = now() WHERE order_id = ${order.id}`);
  await eventually(() => stripe.seen.filter((s) => s.path.endsWith(order.session.id)).length > before, 'Stripe to be asked');
}

const unfreeze = async () => assert.equal((await whole('PATCH', `/teams/${team}`, { frozen: false })).status, 200);
const frozen = () => server.sql(`SELECT frozen_at IS NOT NULL AS frozen FROM team WHERE id = ${team}`)[0].frozen;

// What a step may do to the team's balance, and the books afterwards.
async function moves(by, fn) {
  const before = await posted();
  const got = await fn();
  assert.equal(await posted() - before, typeof by === 'bigint' ? by : dollars(by));
  booksBalance(server);
  sameBooks(server);
  assert.deepEqual(stripe.wrong, []);
  return got;
}

setup('an installation that Stripe pays, and a team', async () => {
  stripe = await startStripe();
  server = await startServer({ ...stripe.env, POLL_INTERVAL_MS: '200', STRIPE_WEBHOOK_SECRET: `${OLD_SECRET}, ${stripe.secret}` });
  operator = await signInOperator(server);
  owner = await signUp(server);
  [{ id: team }] = server.sql(`SELECT id FROM team WHERE name = '${owner.team}'`);
  whole = manage(server, await installationKey(operator));
  ask = manage(server, await mintManagementKey(owner));
});

test('the settings say whether the secrets are set, and nothing of them', async () => {
  const said = await server.beside('check-config');
  assert.match(said, /STRIPE_SECRET_KEY=\(set\)/);
  assert.match(said, /STRIPE_WEBHOOK_SECRET=\(set\)/);
  for (const secret of [stripe.key, stripe.secret, OLD_SECRET])
    assert.ok(!said.includes(secret) && !server.log.includes(secret));
});

test('the choice is offered, marked as a test, and takes whole cents up to what Stripe takes', async () => {
  const page = await owner.get('/billing');
  assert.match(page.text, /Card \(Stripe\)/);
  assert.match(page.text, /You pay on Stripe’s page/);
  assert.match(page.text, /test key/);
  const before = server.sql('SELECT count(*) AS n FROM topup_order')[0].n;
  for (const amount of ['1.005', '1.000000001', '1000000']) {
    const refused = await owner.submit('/billing', /top-up/, { amount, provider: 'stripe' });
    assert.equal(refused.status, 422, amount);
    assert.match(refused.text, /By card, /);
  }
  assert.equal(server.sql('SELECT count(*) AS n FROM topup_order')[0].n, before);
});

test('the pages allow forms to lead to the payment page, and nothing else', async () => {
  const policy = (await owner.get('/billing')).headers.get('content-security-policy');
  assert.equal(policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    + `connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' ${stripe.url}`);
});

test('pays: one page however often it is asked for, one credit however often it is told', async () => {
  const order = await moves(0, () => begin('12.34'));
  const [asked] = stripe.seen.slice(-1);
  assert.equal(asked.headers['idempotency-key'], `tollgate-${order.reference}-1`);
  assert.equal(order.session.amount_total, 1234);
  assert.equal(order.session.client_reference_id, order.reference);
  assert.ok(order.session.success_url.endsWith(`/billing/orders/${order.id}`));
  const [{ until }] = server.sql(`SELECT floor(extract(epoch FROM expires_at))::bigint AS until FROM topup_order WHERE id = ${order.id}`);
  assert.equal(order.session.expires_at, until);
  assert.match(await seen(order), /Waiting for payment.*Go on to Stripe/);
  const sessions = stripe.sessions.size;
  await Promise.all([1, 2, 3].map(() => owner.submit(`/billing/orders/${order.id}`, /\/pay$/)));
  assert.equal(stripe.sessions.size, sessions);

  await moves(12.34, async () => {
    const payload = await tell('checkout.session.completed', stripe.pay(order.session));
    await Promise.all(Array.from({ length: 5 }, () => tell('', null, payload)));
    await tell('checkout.session.completed', order.session); // another event about the same payment
    await tell('checkout.session.async_payment_succeeded', order.session);
  });
  assert.match(await seen(order), /Paid/);
  assert.doesNotMatch(await seen(order), /Go on to Stripe/);
  const told = await operator.get(`/operator/orders/${order.id}`);
  assert.ok(told.body.includes(`https://dashboard.stripe.com/test/payments/${order.session.payment_intent}`));
  assert.match(told.text, /test mode/);
  assert.doesNotMatch(told.body, /\/refund"/); // refunds are made there
  const again = await owner.request(`/billing/orders/${order.id}/cancel`, { method: 'POST' });
  assert.equal(again.status, 403); // no token of a form of ours
});

test('events ten at once credit once', async () => {
  const order = await begin('5');
  stripe.pay(order.session);
  await moves(5, () => Promise.all(Array.from({ length: 10 }, () => tell('checkout.session.completed', order.session))));
});

test('what is forged, old, or without a signature changes nothing', async () => {
  const order = await begin('7');
  const payload = stripe.event('checkout.session.completed', stripe.pay(order.session));
  const seconds = Math.floor(Date.now() / 1000);
  const good = sign(payload, stripe.secret);
  await moves(0, async () => {
    for (const [name, header, body = payload] of [
      ['another secret', sign(payload, 'whsec_anotherone')],
      ['no secret', sign(payload, '')],
      ['another body', good, payload.replace('"paid"', '"paid" ')],
      ['an old one', sign(payload, stripe.secret, seconds - 301)],
      ['one from the future', sign(payload, stripe.secret, seconds + 360)],
      ['another time', good.replace(/t=\d+/, `t=${seconds - 1}`)],
      ['another scheme', good.replace('v1=', 'v0=')],
      ['a short one', good.slice(0, -1)],
      ['no time', good.replace(/t=\d+,/, '')],
      ['two times', `t=${seconds},${good}`],
      ['nothing', ''],
      ['noise', 'x'.repeat(3000)],
    ]) {
      const res = await deliver(server, body, stripe.secret, { 'stripe-signature': header });
      assert.equal(res.status, 400, `${name}: ${res.text}`);
    }
    const none = await fetch(`${server.url}/webhooks/stripe`, { method: 'POST', body: payload });
    assert.equal(none.status, 400);
    assert.equal((await fetch(`${server.url}/webhooks/stripe`)).status, 405);
    assert.equal((await deliver(server, 'x'.repeat(600000), stripe.secret)).status, 413);
    for (const body of ['', '{}', '[]', 'nonsense', '{"object":"event","id":"evt_1"}', payload.replace('"id":"cs_', '"di":"cs_')])
      assert.equal((await deliver(server, body, stripe.secret)).status, 400, body.slice(0, 40));
  });
  assert.equal(stateOf(order).state, 'created');
  // Of several signatures and several secrets, one has to fit.
  await moves(7, async () => {
    const two = `${sign(payload, 'whsec_anotherone')},${sign(payload, OLD_SECRET).split(',')[1]}`;
    assert.equal((await deliver(server, payload, stripe.secret, { 'stripe-signature': two.replace(/t=\d+/, sign(payload, OLD_SECRET).split(',')[0]) })).status, 200);
  });
});

test('what is about others, or of no meaning here, is taken and left alone', async () => {
  await moves(0, async () => {
    await tell('customer.created', { id: 'cus_1', object: 'customer' });
    await tell('checkout.session.completed', { ...(await begin('9')).session, status: 'complete', payment_status: 'paid', payment_intent: 'pi_shop', metadata: {} });
    await tell('checkout.session.completed', { ...(await begin('9')).session, status: 'complete', payment_status: 'paid', payment_intent: 'pi_elsewhere', metadata: { tollgate_order: 'TO-22222222' } });
    await tell('refund.created', stripe.refund({ payment_intent: 'pi_unknown', currency: 'usd' }, 900));
    await tell('charge.dispute.created', stripe.dispute({ payment_intent: 'pi_unknown', currency: 'usd' }, 900));
    await tell('charge.refunded', stripe.charge({ payment_intent: 'pi_unknown', amount_total: 5, currency: 'usd' }));
  });
});

test('a wrong amount or currency waits for an operator, and is credited once he says so', async () => {
  for (const [change, decided] of [[{ amount: 1999 }, true], [{ currency: 'eur' }, false]]) {
    const order = await begin('20');
    await moves(0, async () => tell('checkout.session.completed', stripe.pay(order.session, change)));
    assert.match(await seen(order), /In review/);
    const [review] = (await whole('GET', '/payments/review')).json.data.filter((p) => p.order_id === order.id);
    await moves(decided ? 19.99 : 0, async () => {
      const res = await whole('POST', `/payments/${review.id}/resolve`, { accept: decided, note: 'as it came' });
      assert.equal(res.status, 200, res.text);
      await tell('checkout.session.completed', order.session);
    });
  }
});

test('a payment that takes days: on its way, then there; or not', async () => {
  const good = await begin('30');
  await moves(0, () => tell('checkout.session.completed', stripe.pay(good.session, { late: true })));
  assert.match(await seen(good), /On its way/);
  assert.doesNotMatch(await seen(good), /Go on to Stripe/);
  const [{ days }] = server.sql(`SELECT extract(day FROM expires_at - now())::int AS days FROM topup_order WHERE id = ${good.id}`);
  assert.ok(days >= 29, `it is waited for: ${days} days`);
  await moves(30, () => tell('checkout.session.async_payment_succeeded', stripe.arrive(good.session)));

  const bad = await begin('30');
  await moves(0, async () => {
    await tell('checkout.session.completed', stripe.pay(bad.session, { late: true }));
    await tell('checkout.session.async_payment_failed', stripe.bounce(bad.session));
  });
  assert.match(await seen(bad), /Declined/);

  const reordered = await begin('31');
  stripe.pay(reordered.session, { late: true });
  const early = stripe.event('checkout.session.completed', structuredClone(reordered.session));
  await moves(31, async () => {
    await tell('checkout.session.async_payment_succeeded', stripe.arrive(reordered.session));
    await tell('', null, early); // sent before, comes after
  });
  assert.equal(stateOf(reordered).state, 'paid');
});

test('a page that expires closes its order; money that comes all the same is credited', async () => {
  const order = await begin('8');
  await moves(0, () => tell('checkout.session.expired', stripe.expire(order.session)));
  assert.match(await seen(order), /Expired/);
  assert.doesNotMatch(await seen(order), /Go on to Stripe/);
  await moves(8, () => tell('checkout.session.completed', stripe.pay(order.session)));
});

const closings = (order) => stripe.seen.filter((s) => s.method === 'POST' && s.path === `/v1/checkout/sessions/${order.session.id}/expire`).length;
const cancel = async (order) => assert.match((await owner.submit(`/billing/orders/${order.id}`, /\/cancel$/)).text, /The top-up is canceled/);
const asked = (order) => server.sql(`SELECT ask_at IS NOT NULL AS waits FROM stripe_checkout WHERE order_id = ${order.id}`)[0].waits;

test('a top-up that is canceled has no page at Stripe any more, and nobody waits for that', async () => {
  const order = await begin('12'), open = await begin('12');
  await moves(0, async () => {
    await cancel(order);
    await eventually(() => order.session.status === 'expired', 'the page to be closed');
    await eventually(() => !asked(order), 'nothing more to be asked');
    await tell('checkout.session.expired', order.session);
  });
  assert.equal(stateOf(order).state, 'canceled');
  assert.deepEqual([closings(order), closings(open), open.session.status], [1, 0, 'open']);
});

test('who pays while it is canceled has paid: before the page is closed, or before anybody knows', async () => {
  const order = await begin('13'), late = await begin('13');
  await moves(26, async () => {
    // Paid between the look and the closing: Stripe refuses to close it.
    stripe.script = (req) => {
      if (req.path.endsWith(`${order.session.id}/expire`)) stripe.pay(order.session);
    };
    await cancel(order);
    await eventually(() => order.session.status === 'complete' && closings(order) === 1, 'the closing to come too late');
    assert.equal(stateOf(order).state, 'canceled');
    await lookAt(order);
    await eventually(() => stateOf(order).state === 'paid', 'the payment to be found');
    stripe.script = undefined;
    stripe.pay(late.session);
    await cancel(late);
    await eventually(() => stateOf(late).state === 'paid', 'the payment to be found at once');
  });
  assert.deepEqual([closings(order), closings(late)], [1, 0]);
});

test('Stripe that is away when a top-up is canceled: it is canceled, and the page is closed later', async () => {
  const order = await begin('14');
  let refused = 0;
  stripe.script = (req) => (req.path.endsWith(`${order.session.id}/expire`) && refused++ < 1 ? { status: 500, body: {} } : undefined);
  await moves(0, async () => {
    await cancel(order);
    await eventually(() => refused === 1, 'the first try');
    assert.deepEqual([stateOf(order).state, order.session.status], ['canceled', 'open']);
    await lookAt(order);
    await eventually(() => order.session.status === 'expired', 'the page to be closed');
  });
  stripe.script = undefined;
});

test('refunds: in part, whole, told twice, in any order, and one that does not arrive', async () => {
  const order = await paid('40');
  const first = stripe.refund(order.session, 1000);
  await moves(-10, async () => {
    const payload = await tell('refund.created', first);
    await tell('', null, payload);
    await tell('refund.updated', first);
    await tell('charge.refund.updated', first);
  });
  assert.match(await seen(order), /Refunded in part/);
  const second = stripe.refund(order.session, 3000, 'pending');
  await moves(-30, () => tell('refund.created', second));
  assert.match(await seen(order), /Refunded/);
  await moves(30, async () => {
    await tell('refund.failed', Object.assign(second, { status: 'failed', failure_reason: 'lost_or_stolen_card' }));
    await tell('refund.updated', second);
    await tell('refund.created', { ...second, status: 'pending' }); // sent before, comes after
  });
  assert.equal(stateOf(order).state, 'part_refunded');
  assert.match((await owner.get('/billing/ledger')).text, /Refund failed/);

  const failedFirst = stripe.refund(order.session, 500, 'canceled');
  await moves(0, async () => {
    await tell('refund.updated', failedFirst);
    await tell('refund.created', { ...failedFirst, status: 'pending' });
  });
  // More than was paid: nothing fits, and a person is told, once.
  const much = stripe.refund(order.session, 999999);
  await moves(0, async () => {
    await tell('refund.created', much);
    await tell('refund.updated', much);
  });
  const found = server.sql(`SELECT id, detail FROM recon_finding WHERE subject = 'Stripe ${much.id}'`);
  assert.deepEqual(found.map((f) => f.detail), [`a refund of 9999.99 USD does not fit payment ${order.session.payment_intent}`]);
  const closed = await operator.submit('/operator/findings', new RegExp(`/findings/${found[0].id}/`), { reason: 'settled with the customer', accept: 'on' });
  assert.equal(closed.status, 200, closed.text.slice(0, 300));
  await tell('refund.updated', much); // as whoever asks Stripe finds it again: it was accepted
  assert.equal(server.sql('SELECT count(*)::int AS n FROM recon_finding WHERE closed_at IS NULL')[0].n, 0);
});

test('what is booked by hand has to be the refund that Stripe tells of', async () => {
  const order = await paid('18');
  const [{ id }] = server.sql(`SELECT id FROM payment WHERE order_id = ${order.id}`);
  const refund = stripe.refund(order.session, 300);
  const wish = { amount: '3', reason: 'asked for', reference: 'rf-1' };
  await moves(0, async () => {
    for (const what of ['refunds', 'chargebacks']) {
      const res = await whole('POST', `/payments/${id}/${what}`, wish);
      assert.deepEqual([res.status, res.json.error.param], [400, 'reference'], res.text);
      assert.match(res.text, /at Stripe/);
    }
    assert.equal(frozen(), false);
  });
  await moves(-3, async () => {
    const res = await whole('POST', `/payments/${id}/refunds`, { ...wish, reference: refund.id });
    assert.equal(res.status, 201, res.text);
    await tell('refund.created', refund);
  });
});

test('charge.refunded alone, and a refund told before its payment, are found by asking', async () => {
  const order = await paid('15');
  stripe.refund(order.session, 400);
  await moves(-4, async () => {
    await tell('charge.refunded', stripe.charge(order.session));
    await eventually(() => stateOf(order).state === 'part_refunded', 'the refund to be booked');
  });
  const early = await begin('16');
  stripe.pay(early.session);
  await moves(0, () => tell('refund.created', stripe.refund(early.session, 1600)));
  await moves(0, async () => {
    await tell('checkout.session.completed', early.session);
    await lookAt(early);
    await eventually(() => stateOf(early).state === 'refunded', 'the refund to be booked');
  });
  await eventually(() => server.sql(`SELECT ask_at FROM stripe_checkout WHERE order_id = ${early.id}`)[0].ask_at === null, 'the asking to end');
});

test('a dispute that is lost: the team is frozen, the money goes once', async () => {
  const order = await paid('25');
  const dispute = stripe.dispute(order.session, 2500);
  await moves(-25, async () => {
    await tell('charge.dispute.created', dispute);
    await tell('charge.dispute.funds_withdrawn', dispute);
  });
  assert.equal(frozen(), true);
  await unfreeze();
  await moves(0, async () => {
    await tell('charge.dispute.closed', Object.assign(dispute, { status: 'lost' }));
    await tell('charge.dispute.created', dispute);
  });
  assert.equal(frozen(), false); // what is known freezes nobody again
  assert.match(await seen(order), /Charged back/);
});

test('a dispute that is won: the money comes again, also when that is told first', async () => {
  const order = await paid('26');
  const dispute = stripe.dispute(order.session, 2600);
  await moves(-26, () => tell('charge.dispute.funds_withdrawn', dispute));
  await moves(26, async () => {
    await tell('charge.dispute.funds_reinstated', Object.assign(dispute, { status: 'won' }));
    await tell('charge.dispute.closed', dispute);
  });
  assert.equal(stateOf(order).state, 'paid');
  const second = await paid('27');
  const won = stripe.dispute(second.session, 2700, 'won');
  await moves(0, async () => {
    await tell('charge.dispute.closed', won);
    await tell('charge.dispute.created', { ...won, status: 'needs_response' });
  });
  assert.equal(stateOf(second).state, 'paid');
  await unfreeze();
  // An inquiry takes nothing.
  await moves(0, async () => {
    const inquiry = stripe.dispute(second.session, 2700, 'warning_needs_response');
    await tell('charge.dispute.created', inquiry);
    await tell('charge.dispute.closed', Object.assign(inquiry, { status: 'warning_closed' }));
  });
  assert.equal(frozen(), false);
});

test('a refund of more than is unused is booked below zero, and freezes', async () => {
  const order = await paid('50');
  const cents = (await posted() - dollars(20)) / 10000000n; // all but twenty dollars are used
  const used = await whole('POST', `/balance/adjustments?team=${team}`, { amount: `-${cents / 100n}.${`${cents % 100n}`.padStart(2, '0')}`, reason: 'used up', reference: 'used-up' });
  assert.equal(used.status, 201, used.text);
  await moves(-50, () => tell('refund.created', stripe.refund(order.session, 5000)));
  assert.ok(await posted() < 0n);
  assert.equal(frozen(), true);
  await unfreeze();
  await paid('100');
});

test('an event that is lost is found by asking: paid, failed, expired', async () => {
  const order = await begin('11');
  await moves(11, async () => {
    stripe.pay(order.session);
    await lookAt(order);
    await eventually(() => stateOf(order).state === 'paid', 'the payment to be found');
    await tell('checkout.session.completed', order.session); // it comes after all
  });
  const late = await begin('11');
  await moves(11, async () => {
    stripe.pay(late.session, { late: true });
    await lookAt(late);
    await eventually(() => stateOf(late).state === 'pending', 'the payment to be on its way');
    stripe.arrive(late.session);
    await lookAt(late);
    await eventually(() => stateOf(late).state === 'paid', 'the payment to arrive');
  });
  const bounced = await begin('11');
  const gone = await begin('11');
  await moves(0, async () => {
    stripe.bounce(stripe.pay(bounced.session, { late: true }));
    stripe.expire(gone.session);
    await Promise.all([lookAt(bounced), lookAt(gone)]);
    await eventually(() => stateOf(bounced).state === 'failed' && stateOf(gone).state === 'expired', 'both to end');
  });
  assert.equal(stateOf(bounced).note, 'The bank account has been closed.');
});

test('Stripe down, refusing or slow: told on the page, tried again, paid once', async () => {
  const fails = [
    [() => ({ status: 503, body: 'no', type: 'text/plain' }), /Stripe does not answer/, 2],
    [() => ({ status: 429, body: { error: { message: 'slow down', type: 'rate_limit_error' } } }), /Stripe does not answer/, 2],
    [() => ({ status: 400, body: { error: { message: 'Your account cannot make <b>live</b> charges.', type: 'invalid_request_error' } } }), /Stripe refused: Your account cannot make <b>live<\/b> charges/, 2],
    [() => ({ status: 401, body: { error: { message: `Invalid API Key provided: ${stripe.key}`, type: 'authentication_error' } } }), /refuses this installation’s key/, 2],
    [() => ({ status: 200, body: 'not JSON' }), /Stripe/, 2],
    [() => ({ status: 200, body: { id: 'cs_1', url: 'https://evil.example/pay' } }), /no payment page that is known/, 3],
  ];
  let page, order;
  const begun = stripe.sessions.size;
  await moves(0, async () => {
    for (const [script, sentence, attempt] of fails) {
      stripe.script = script;
      page = order ? await owner.submit(`/billing/orders/${order.id}`, /\/pay$/) : await owner.submit('/billing', /top-up/, { amount: '13', provider: 'stripe' });
      stripe.script = undefined;
      assert.equal(page.status, 200);
      assert.match(page.url, /\/billing\/orders\/\d+$/);
      assert.match(page.text, sentence);
      assert.doesNotMatch(page.body, new RegExp(stripe.key));
      order ??= { id: page.url.match(/(\d+)$/)[1] };
      assert.equal(server.sql(`SELECT attempt FROM stripe_checkout WHERE order_id = ${order.id}`)[0].attempt, attempt, String(sentence));
      assert.equal(stateOf(order).state, 'created');
    }
  });
  assert.equal(stripe.sessions.size, begun);
  page = await owner.submit(`/billing/orders/${order.id}`, /\/pay$/);
  assert.equal(stripe.sessions.size, begun + 1);
  await moves(13, () => tell('checkout.session.completed', stripe.pay([...stripe.sessions.values()].at(-1))));
  assert.equal(stateOf(order).state, 'paid');
});

test('as many who wait for Stripe as there are workers for exports hold up no export', async () => {
  let asked = 0, answered = 0;
  const others = [await signUp(server), await signUp(server)];
  stripe.script = () => {
    asked++;
    return 'silence';
  };
  const waiting = others.map((one) => one.submit('/billing', /top-up/, { amount: '10', provider: 'stripe' }).finally(() => { answered++; }));
  await eventually(() => asked === 2, 'Stripe to be asked by both');
  assert.equal((await owner.get('/usage/export')).status, 200);
  assert.equal((await owner.get('/billing/ledger/export')).status, 200);
  assert.equal(answered, 0, 'they still wait');
  for (const page of await Promise.all(waiting)) assert.match(page.text, /Stripe does not answer/);
  stripe.script = undefined;
});

test('Stripe that never answers: the page waits for it, and nobody else does', async () => {
  let asked = 0;
  stripe.script = (request) => {
    asked++;
    stripe.api(request);
    return 'silence';
  };
  await moves(0, async () => {
    let answered = false;
    const waiting = owner.submit('/billing', /top-up/, { amount: '77', provider: 'stripe' }).finally(() => { answered = true; });
    await eventually(() => asked > 0, 'Stripe to be asked');
    assert.equal((await owner.get('/billing')).status, 200);
    assert.equal(answered, false);
    const page = await waiting;
    stripe.script = undefined;
    assert.match(page.text, /Stripe does not answer\. Nothing was charged/);
    const made = [...stripe.sessions.values()].at(-1);
    const open = await owner.submit(page, /\/pay$/);
    assert.equal(open.url, made.url); // the page that it had made meanwhile
  });
});

test('an answer that is lost on its way leaves one page', async () => {
  for (const lose of ['cut', { status: 500, body: 'lost', type: 'text/plain' }]) {
    stripe.script = (asked) => {
      stripe.api(asked); // the page is made, and that never becomes known
      return lose;
    };
    const page = await owner.submit('/billing', /top-up/, { amount: '14', provider: 'stripe' });
    stripe.script = undefined;
    assert.match(page.text, /Stripe does not answer/);
    const id = page.url.match(/(\d+)$/)[1];
    const made = [...stripe.sessions.values()].at(-1);
    const open = await owner.submit(`/billing/orders/${id}`, /\/pay$/);
    const shown = stripe.sessions.get(open.url.split('/').at(-1));
    // Stripe keeps what it answered, also that it failed: another key is wanted then. The first page has been
    // shown to nobody; were it paid all the same, an operator would decide on the second payment.
    assert.equal(shown === made, lose === 'cut');
    await moves(14, async () => {
      await tell('checkout.session.completed', stripe.pay(shown));
      if (made !== shown) await tell('checkout.session.completed', stripe.pay(made));
    });
    const reviews = (await whole('GET', '/payments/review')).json.data.filter((p) => p.order_id === Number(id));
    assert.equal(reviews.length, lose === 'cut' ? 0 : 1);
  }
});

test('an order of another team, or of another way of paying, has no page at Stripe', async () => {
  const order = await begin('6');
  const stranger = await signUp(server);
  const [{ csrf }] = [(await stranger.get('/billing')).form(/top-up/).fields];
  const send = (visitor, id, token) => visitor.request(`/billing/orders/${id}/pay`, {
    method: 'POST', body: new URLSearchParams({ csrf: token }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: server.url },
  });
  assert.equal((await send(stranger, order.id, csrf)).status, 404);
  const manual = await owner.submit('/billing', /top-up/, { amount: '6', provider: 'manual' });
  const own = (await owner.get('/billing')).form(/top-up/).fields.csrf;
  assert.equal((await send(owner, manual.url.match(/(\d+)$/)[1], own)).status, 404);
  assert.equal((await send(owner, order.id, 'wrong')).status, 403);
});

test('without the secrets nothing is offered and nothing is believed', async () => {
  const order = await begin('9');
  const payload = stripe.event('checkout.session.completed', stripe.pay(order.session));
  for (const env of [{ STRIPE_WEBHOOK_SECRET: '' }, { STRIPE_SECRET_KEY: '', STRIPE_WEBHOOK_SECRET: stripe.secret }]) {
    await server.again(env);
    await moves(0, async () => {
      for (const secret of ['', stripe.secret])
        assert.equal((await deliver(server, payload, stripe.secret, { 'stripe-signature': sign(payload, secret) })).status, 503);
    });
    assert.doesNotMatch((await owner.get('/billing')).body, /value="stripe"/);
    assert.match((await owner.get('/billing')).headers.get('content-security-policy'), /form-action 'self'$/);
    assert.equal((await owner.get(`/billing/orders/${order.id}`)).status, 200);
  }
  for (const [name, value, said] of [['STRIPE_SECRET_KEY', 'pk_live_public', /begins with sk_/], ['STRIPE_WEBHOOK_SECRET', 'whsec_a,secret', /begins with whsec_/], ['STRIPE_WEBHOOK_SECRET', ',', /begins with whsec_/], ['STRIPE_API_URL', 'ftp://stripe', /STRIPE_API_URL/]]) {
    const kept = server.env;
    server.env = { ...kept, [name]: value };
    await assert.rejects(server.beside('check-config'), (error) => said.test(error.message) && (value.length < 5 || !error.message.includes(value)));
    server.env = kept;
  }
  await server.again({ STRIPE_SECRET_KEY: stripe.key, STRIPE_WEBHOOK_SECRET: stripe.secret });
  await moves(9, () => tell('checkout.session.completed', order.session));
});

test('the month’s invoice has what came and what went back', async () => {
  const page = await owner.get('/billing/preview');
  assert.equal(page.status, 200, page.text.slice(0, 200));
  const [sums] = server.sql(`SELECT (SELECT sum(amount_nano) FROM payment WHERE team_id = ${team} AND state = 'credited')::text AS paid,
    (SELECT sum(amount_nano) FROM transfer WHERE team_id = ${team} AND code = 'TOPUP')::text AS topped,
    (SELECT count(*) FROM payment_return WHERE team_id = ${team}) AS returns`);
  assert.equal(sums.paid, sums.topped);
  assert.ok(sums.returns > 6, `${sums.returns} returns`);
  for (const what of ['Refund', 'Refund failed', 'Chargeback', 'Chargeback reversed', 'Top-up']) assert.ok(page.text.includes(what), what);
  sameBooks(server);
});
