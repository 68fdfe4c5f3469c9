// pictures.mjs [DIR]: the pictures of the README, taken of an installation with four weeks behind it: a
// server whose clock is moved on day by day (libfaketime). With DIR its data stays there, and nothing is
// taken: for looking at pages by hand. Not a test.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { password, topUp, served, signInOperator } from './installation.mjs';
import { addProviders, addTeam, dice, mintKeys, startProvider, traffic } from './past.mjs';
import { Server, daysAhead, needsFaketime } from './server.mjs';

const DAYS = 28, A_DAY = 220;
const [keep] = process.argv.slice(2);
const missing = needsFaketime();
if (missing) throw new Error(missing);

const d = dice(7);
let server = await new Server(daysAhead(-DAYS)).start();
const provider = await startProvider();
const operator = await signInOperator(server);
await addProviders(operator, provider);
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
  const n = Math.round((weekend ? 0.35 : 1) * A_DAY * (0.7 + 0.6 * d.next()) * (1 + (DAYS - day) / DAYS));
  console.log(day, JSON.stringify(await traffic(server, keys, n, { seed: day + 1 })));
}
await server.stop();
if (keep) { mkdirSync(keep, { recursive: true }); cpSync(server.dataDir, keep, { recursive: true, preserveTimestamps: true }); }
console.log(JSON.stringify({ keys, operator: server.operator, port: provider.port, dir: server.dataDir }));
await provider.stop();
