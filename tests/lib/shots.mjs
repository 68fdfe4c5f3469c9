// shots.mjs URL OUTDIR EMAIL PASSWORD PATH...: pictures of pages at 1280 and 390 px, light and dark, for a
// person to look at. Not a test.
import { mkdirSync } from 'node:fs';
import { openBrowser } from './browser.mjs';

const [url, out, email, password, ...paths] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await openBrowser();
for (const scheme of ['light', 'dark']) {
  for (const width of [1280, 390]) {
    const context = await browser.newContext({ viewport: { width, height: width > 500 ? 860 : 844 }, colorScheme: scheme });
    const page = await context.newPage();
    if (email) {
      await page.goto(`${url}/sign-in`);
      await page.fill('input[name=email]', email);
      await page.fill('input[name=password]', password);
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    }
    for (const path of paths) {
      await page.goto(url + path);
      await page.waitForTimeout(250);
      const name = (path.replace(/^\//, '').replace(/[^A-Za-z0-9]+/g, '-') || 'home').slice(0, 50);
      await page.screenshot({ path: `${out}/${name}-${width}-${scheme}.png`, fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
