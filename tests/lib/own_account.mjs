// A team's own account in a scenario. The product never sends a team's key to a private address, and the database
// keeps it so. Scripted providers are on this machine, so a test takes that rule out of its own database and
// moves the account.
export function moveHere(server, id, url) {
  server.psql(`DO $$ DECLARE c name; BEGIN
      FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'provider_account'::regclass AND contype = 'c'
                  AND pg_get_constraintdef(oid) LIKE '%network = ''public''%' LOOP
        EXECUTE format('ALTER TABLE provider_account DROP CONSTRAINT %I', c);
      END LOOP; END $$;
    UPDATE provider_account SET base_url = '${url}', network = 'private' WHERE id = ${id};
    SELECT note_change('catalogue')`);
}
