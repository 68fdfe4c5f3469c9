// Chores of a crew share a connection: each has the time limits of its own, whatever ran before it.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { Cluster } from '../lib/cluster.mjs';

const cluster = new Cluster();
let node;

const psql = (text) => cluster.postgres.psql(text);
const limits = (what) => cluster.sql(`SELECT DISTINCT statement_timeout AS at FROM limits_seen WHERE what = '${what}'`).map((r) => r.at);

setup('a database that notes under which limit its rows are written', async () => {
  await cluster.start();
  psql(`CREATE TABLE limits_seen (what text NOT NULL, statement_timeout text NOT NULL);
    GRANT INSERT ON limits_seen TO tollgate_app, tollgate_money;
    CREATE FUNCTION see_limit() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
    BEGIN
      INSERT INTO limits_seen VALUES (coalesce(to_jsonb(NEW) ->> 'form', TG_TABLE_NAME), current_setting('statement_timeout'));
      RETURN NULL;
    END $$;
    CREATE TRIGGER see_limit AFTER UPDATE ON recon_run FOR EACH ROW WHEN (OLD.started_at <> NEW.started_at)
      EXECUTE FUNCTION see_limit();
    CREATE TRIGGER see_limit AFTER DELETE ON stored_response FOR EACH ROW EXECUTE FUNCTION see_limit()`);
  node = await cluster.add('one');
  await cluster.install([]);
  await cluster.key(await cluster.team(1_000_000_000));
  await node.stop();
});

test('what is quick keeps its limit behind what takes long', async () => {
  psql(`UPDATE recon_run SET started_at = '-infinity';
    TRUNCATE limits_seen;
    INSERT INTO stored_response (team_id, id, key_id, call_id, model, expires_at, response, input)
    SELECT k.team_id, 'over', k.id, gen_random_uuid(), 'm', now() - interval '1 minute', '', '' FROM api_key k LIMIT 1`);
  await node.revive();
  await eventually(() => limits('stored_response').length, 'the answer that is over to be removed');
  assert.deepEqual([limits('window'), limits('full'), limits('stored_response')], [['1min'], ['4h'], ['30s']]);
});
