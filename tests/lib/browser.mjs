// browser.mjs: Debian's Chromium, driven by playwright-core, with a profile of its own and no way out to
// other hosts.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
export const needsBrowser = () => (path ? undefined : 'Chromium is not on this machine');

export function openBrowser() {
  return chromium.launch({
    executablePath: path, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  });
}
