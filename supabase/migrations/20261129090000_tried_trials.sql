-- Trials of sweeps by the data that they ran on. A row stays when its sweep is deleted: what was tried was tried. The sums
-- are over the Sharpe ratios per period of the trials that had one.

create table absfin.tried_trials (
  key            bigint generated always as identity primary key,
  owner          text collate "C" not null,
  data           text collate "C" not null,
  epoch          text collate "C" not null,
  trials         bigint not null,
  sharpe_count   bigint not null default 0,
  sharpe_sum     double precision not null default 0,
  sharpe_squares double precision not null default 0,
  unique (owner, data, epoch)
);
create index tried_trials_by_sweep on absfin.tried_trials (owner, epoch);
alter table absfin.tried_trials enable row level security;

-- Counts the trials of a sweep, by the name of the data of each, unless they are counted. Returns the trials that the
-- owner's sweeps on any of these data were counted with before, and the sums over their Sharpe ratios.
create function absfin.begin_tried_trials(p_owner text, p_epoch text, p_trials jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- One after the other, so that of two sweeps that begin at once one is before the other.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('absfin.tried_trials/' || p_owner, 0));
  insert into absfin.tried_trials (owner, data, epoch, trials)
    select p_owner, d.key, p_epoch, d.value::bigint from pg_catalog.jsonb_each_text(p_trials) d order by d.key
    on conflict do nothing;
  return (
    select pg_catalog.jsonb_build_array(
      coalesce(pg_catalog.sum(t.trials), 0), coalesce(pg_catalog.sum(t.sharpe_count), 0),
      coalesce(pg_catalog.sum(t.sharpe_sum), 0), coalesce(pg_catalog.sum(t.sharpe_squares), 0))
    from absfin.tried_trials own join absfin.tried_trials t
      on t.owner = own.owner and t.data = own.data and t.key < own.key and t.epoch <> own.epoch
    where own.owner = p_owner and own.epoch = p_epoch);
end
$$;

create function absfin.score_tried_trials(
  p_owner text, p_epoch text, p_count bigint, p_sum double precision, p_squares double precision
) returns void
language sql volatile security definer set search_path = ''
as $$
  update absfin.tried_trials set sharpe_count = p_count, sharpe_sum = p_sum, sharpe_squares = p_squares
  where owner = p_owner and epoch = p_epoch;
$$;

select absfin.complete_migration('20261129090000');
