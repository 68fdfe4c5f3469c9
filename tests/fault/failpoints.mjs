// failpoints.mjs: every failpoint of the code, and how the suite gets there. tests/lint/failpoints holds
// this table against the code; failpoints.test.mjs passes each row and fails on one that nothing passes.
//
// by     what passes it: a call, a streamed call, a call whose node has no lease (ask), a client that
//        hangs up (gone), the node's own rounds (node), chores, a start, the first call after one, a
//        stop, a page, a migration, a reaping, a video, a call dearer than its hold (dearer), a disk that writes
//        half (short)
// error  the errno that the place fails with, where failing there is something that happens
// kill   worth dying at, in rounds of kills under load
export const failpoints = {
  // the connection to the database
  'db.connect': { by: 'start', error: 'ECONNREFUSED' },
  'db.commit': { by: 'call', error: 'ECONNRESET', kill: true },
  'db.committed': { by: 'call', error: 'ECONNRESET', kill: true },
  'notify.listen': { by: 'start', error: 'ECONNREFUSED' },
  'notify.poll': { by: 'node', error: 'ECONNRESET' },
  'jobs.submit': { by: 'ask', error: 'EAGAIN' },
  // leases and the node's session
  'lease.grant': { by: 'ask', error: 'ECONNRESET', kill: true },
  'lease.granted': { by: 'ask', error: 'ECONNRESET', kill: true },
  'lease.back': { by: 'node', error: 'ECONNRESET', kill: true },
  'lease.returned': { by: 'node', error: 'ECONNRESET', kill: true },
  'session.open': { by: 'start', error: 'ECONNRESET', kill: true },
  'session.opened': { by: 'start', error: 'ECONNRESET', kill: true },
  'session.beat': { by: 'node', error: 'ECONNRESET', kill: true },
  'session.beaten': { by: 'node', error: 'ECONNRESET' },
  'session.look': { by: 'node', error: 'ECONNRESET' },
  'session.close': { by: 'stop', error: 'ECONNRESET' },
  'session.closed': { by: 'stop', error: 'ECONNRESET' },
  'session.reap': { by: 'reaping', error: 'ECONNRESET' },
  'session.reaped': { by: 'reaping', error: 'ECONNRESET' },
  // holds
  'hold.before': { by: 'call', kill: true },
  'hold.short': { by: 'call', error: 'EAGAIN' },
  'hold.taken': { by: 'call', kill: true },
  'hold.answered': { by: 'ask', kill: true },
  'hold.extend': { by: 'dearer', error: 'EAGAIN' },
  // the journal
  'journal.slot': { by: 'start', error: 'EACCES' },
  'journal.create': { by: 'first', error: 'ENOSPC' },
  'journal.write': { by: 'call', error: 'ENOSPC', kill: true },
  'journal.half': { by: 'short' },
  'journal.undo': { by: 'short' },
  'journal.begun': { by: 'call', kill: true },
  'journal.noted': { by: 'stream', kill: true },
  'journal.ended': { by: 'call', kill: true },
  'journal.sync': { by: 'call' },
  'replay.read': { by: 'start', kill: true },
  'replay.pushed': { by: 'start', kill: true },
  'replay.settled': { by: 'start', kill: true },
  // settling
  'settle.send': { by: 'call', error: 'ECONNRESET', kill: true },
  'settle.sent': { by: 'call', error: 'ECONNRESET', kill: true },
  'settle.committed': { by: 'call', error: 'ECONNRESET', kill: true },
  'settle.booked': { by: 'call', kill: true },
  // a call on its way
  'key.look_up': { by: 'ask', error: 'ECONNRESET', kill: true },
  'key.purses': { by: 'ask', error: 'ECONNRESET' },
  'upstream.start': { by: 'call', error: 'ENOMEM', kill: true },
  'upstream.started': { by: 'call', kill: true },
  'upstream.head': { by: 'call', kill: true },
  'upstream.bytes': { by: 'stream', kill: true },
  'upstream.done': { by: 'call', kill: true },
  'stream.commit': { by: 'stream', kill: true },
  'stream.ended': { by: 'stream', kill: true },
  'answer.queued': { by: 'call', kill: true },
  'video.keep': { by: 'video', error: 'ECONNRESET' },
  'video.kept': { by: 'video', error: 'ECONNRESET' },
  'video.noted': { by: 'video' },
  'video.returned': { by: 'video' },
  'call.settle': { by: 'call', kill: true },
  'call.end': { by: 'call', kill: true },
  'client.gone': { by: 'gone', kill: true },
  // what goes on beside the calls
  'catalog.load': { by: 'start', error: 'ECONNRESET' },
  'chores.run': { by: 'chore', error: 'EIO' },
  'export.write': { by: 'page', error: 'EPIPE' },
  'invoice.numbered': { by: 'chore', error: 'EIO' },
  'invoice.cut': { by: 'chore' },
  'payment.credit': { by: 'page', error: 'EIO' },
  'payment.credited': { by: 'page', error: 'EIO' },
  'payment.applied': { by: 'page' },
  'migrate.apply': { by: 'migration', error: 'EIO' },
  'migrate.applied': { by: 'migration' },
};

export const named = (which) => Object.entries(failpoints).filter(([, row]) => which(row)).map(([name]) => name);
