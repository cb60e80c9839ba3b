insert into absfin.secrets values ('api_keys', '\x00ff');
insert into absfin.api_keys values
  ('desk', 'apiKeys/desk', 'Desk ü', '{1,3}', '\x0102', '2026-01-02 03:04:05.678901+00', null, null),
  ('gone', 'apiKeys/desk', '', '{4}', '\x0304', '2026-01-02 03:04:05+00', '2027-01-01 00:00:00+00', '2026-02-01 00:00:00+00');
