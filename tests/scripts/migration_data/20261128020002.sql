insert into absfin.price_revisions (session, position) values ('a', 1), ('b', null);
insert into absfin.price_chunks
  select symbol, 'CLOSE', 1970, revision, 0, 1, sha256(data), data
  from (values ('A', 1, '\x0000000001000000000000000000f03f0000000000000040'::bytea), ('ü', 2, '\x'::bytea))
    c (symbol, revision, data);
insert into absfin.imports (import_id, body, receipt, source)
  values ('i', '\x00', '{"import_id": "i", "inserted": 2, "changed": 0, "unchanged": 0, "symbols": 1}', 'the exchange');
insert into absfin.price_clock (position) values (1);
