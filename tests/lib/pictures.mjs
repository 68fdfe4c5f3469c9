// pictures.mjs: the pictures of the README, taken of an installation with four weeks behind it: a server
// whose clock is moved on day by day (libfaketime). With KEEP_DATA=DIR its data stays there, for looking at
// pages by hand. Not a test.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser } from './browser.mjs';
import { password, served, signInOperator, topUp } from './installation.mjs';
import { addProviders, addTeam, dice, mintKeys, startProvider, traffic } from './past.mjs';
import { daysAhead, needsFaketime, Server, stopEverything, top } from './server.mjs';

const DAYS = 28, A_DAY = 220;
const missing = needsFaketime();
if (missing) throw new Error(missing);

async function takePictures(server, owner) {
  const browser = await openBrowser();
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 760 }, reducedMotion: 'reduce' })).newPage();
  const picture = (name) => page.screenshot({ path: join(top, 'web/pictures', `${name}.png`) });
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', owner.email);
  await page.fill('input[name=password]', password);
  await Promise.all([page.waitForURL('**/overview'), page.keyboard.press('Enter')]);
  await page.locator('.chart canvas').waitFor();
  await picture('overview');
  await page.goto(`${server.url}/log?fallback=yes&status=ok`);
  await page.locator('.log tbody tr').nth(2).locator('td').nth(2).click();
  await page.locator('.panel h1').waitFor();
  await page.setViewportSize({ width: 1280, height: 680 });
  await picture('request');
  await page.goto(`${server.url}/billing`);
  await picture('billing');
  await browser.close();
}

const d = dice(7);
const server = await new Server(daysAhead(-DAYS)).start();
const provider = await startProvider();
await addProviders(await signInOperator(server), provider);
const owner = await addTeam(server);
await topUp(owner, 250);
const keys = await mintKeys(owner);
await served(server, keys.support, 'claude-sonnet-5');
for (let day = DAYS; day >= 0; day--) {
  if (day < DAYS) await server.again(daysAhead(-day));
  if (day % 9 === 4) {
    await owner.submit('/sign-in', /sign-in/, { email: owner.email, password });
    await topUp(owner, 120);
  }
  const weekend = [0, 6].includes(new Date(Date.now() - day * 86400e3).getUTCDay());
  const calls = Math.round((weekend ? 0.35 : 1) * A_DAY * (0.7 + 0.6 * d.next()) * (1 + (DAYS - day) / DAYS));
  console.log(`${day} days ago: ${JSON.stringify(await traffic(server, keys, calls, { seed: day + 1 }))}`);
}
await takePictures(server, owner);
await server.stop();
await provider.stop();
const keep = process.env.KEEP_DATA;
if (keep) {
  mkdirSync(keep, { recursive: true });
  cpSync(server.dataDir, keep, { recursive: true, preserveTimestamps: true });
  console.log(JSON.stringify({ keys, operator: server.operator, owner: { email: owner.email, password } }));
}
await stopEverything('pictures');
