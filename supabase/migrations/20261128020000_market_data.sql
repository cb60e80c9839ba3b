-- Market data: prices, the imports that bring them, and instruments. It belongs to nobody: all who are known may read it,
-- and only the server writes it.

-- Prices: one chunk for each symbol, field and civil year, int32 days since 1970-01-01, then float64 values, both
-- little-endian. A chunk belongs to the revision of the import that wrote it. A revision counts from the moment it has a
-- position, which is one row: so an import is visible as a whole or not at all, however many calls it takes to write.

create table absfin.price_revisions (
  number bigint generated always as identity primary key,
  session text not null unique, -- chosen by the server that imports
  touched timestamptz not null default clock_timestamp(), -- when that server was last heard of
  dropped boolean not null default false, -- given up: nothing may be added any more
  position bigint unique, -- in the order in which imports were finished; null while one is under way
  cleaned boolean not null default false -- the chunks that it replaces are gone
);
create index price_revisions_under_way on absfin.price_revisions (touched) where position is null;
create index price_revisions_uncleaned on absfin.price_revisions (position) where position is not null and not cleaned;
alter table absfin.price_revisions enable row level security;
create policy price_revisions_read on absfin.price_revisions for select to authenticated using (position is not null);
grant select (number, position) on absfin.price_revisions to authenticated;

-- No foreign key to the revision: rows are written and deleted in bulk by the functions below alone.
create table absfin.price_chunks (
  symbol text collate "C" not null,
  field text collate "C" not null check (field in ('CLOSE', 'OPEN', 'HIGH', 'LOW', 'VOLUME')),
  year int not null,
  revision bigint not null,
  first_day int not null,
  last_day int not null,
  sha256 bytea not null check (sha256 = pg_catalog.sha256(data)),
  data bytea not null,
  primary key (symbol, field, year, revision)
);
-- Floats hardly compress, and beside the table they are not read where only a chunk's hash is wanted.
alter table absfin.price_chunks alter column data set storage external;
create index price_chunks_by_revision on absfin.price_chunks (revision, field, symbol);
alter table absfin.price_chunks enable row level security;
-- Of a year the chunk counts whose revision has the highest position.
create policy price_chunks_read on absfin.price_chunks for select to authenticated
  using (revision in (select r.number from absfin.price_revisions r where r.position is not null));
grant select on absfin.price_chunks to authenticated;

-- The last position, once an import was finished; its lock is what imports are finished under, one after the other.
create table absfin.price_clock (
  single boolean primary key default true check (single),
  position bigint not null
);
alter table absfin.price_clock enable row level security;

-- Imports that are done, so that one sent again changes nothing.
create table absfin.imports (
  import_id text collate "C" primary key,
  body bytea not null, -- sha256 of what was sent
  receipt jsonb not null,
  source text not null, -- where the data comes from, in its caller's words
  finished timestamptz not null default clock_timestamp()
);
alter table absfin.imports enable row level security;

-- Instruments with their labels.
create table absfin.instruments (
  symbol text collate "C" primary key,
  display_name text not null default '',
  currency text not null default '',
  groups jsonb not null default '{}',
  lot_size double precision,
  state text not null default 'TRADABLE' check (state in ('TRADABLE', 'HALTED', 'DELISTED', 'NOT_LISTED'))
);
alter table absfin.instruments enable row level security;
create policy instruments_read on absfin.instruments for select to authenticated using (true);
grant select on absfin.instruments to authenticated;

-- The groups of instruments as "kind=name", to find members by.
create table absfin.instrument_labels (
  label text collate "C" not null,
  symbol text collate "C" not null references absfin.instruments (symbol),
  primary key (label, symbol)
);
create index instrument_labels_by_symbol on absfin.instrument_labels (symbol);
alter table absfin.instrument_labels enable row level security;
create policy instrument_labels_read on absfin.instrument_labels for select to authenticated using (true);
grant select on absfin.instrument_labels to authenticated;

select absfin.complete_migration('20261128020000');
