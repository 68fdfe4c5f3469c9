// clock.mjs: wall clocks that a test moves while processes run by them (Debian's libfaketime); the
// monotonic clock is left alone, as it is when a machine's clock is set.
import { chownSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faketime, nobody, ownDirectory } from './server.mjs';

export class Clock {
  constructor(offset = '+0') {
    this.path = join(ownDirectory('tg-clock-'), 'offset');
    this.set(offset);
  }

  // "+3600": seconds; "-32d": days.
  set(offset) {
    writeFileSync(`${this.path}.new`, `${offset}\n`);
    if (nobody.uid) chownSync(`${this.path}.new`, nobody.uid, nobody.gid);
    renameSync(`${this.path}.new`, this.path);
  }

  get env() {
    return { LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: this.path, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
  }
}
