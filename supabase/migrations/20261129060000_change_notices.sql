-- Notices of changes, one for each transaction: a large import writes a change for each symbol, and to send each of them to
-- every server would cost these more than to read them.

-- Changes that one statement writes have one time: whoever follows the log takes those of one time together, and one by one
-- the changes of a large import would take as many turns as it has symbols.
alter table absfin.changes alter column written set default statement_timestamp();

-- Transactions that wrote changes. Nobody reads it: Realtime sends its rows, which stay for as long as that may take.
create table absfin.change_notices (
  tx      xid8 primary key default pg_current_xact_id(),
  written timestamptz not null default clock_timestamp()
);
alter table absfin.change_notices enable row level security;

create function absfin.notice_changes() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into absfin.change_notices default values on conflict do nothing;
  if found then
    -- More than come may go, so the table stays small; those that another transaction removes are left to it.
    delete from absfin.change_notices where tx in (
      select o.tx from absfin.change_notices o
      where o.tx in (select tx from absfin.change_notices order by tx limit 4)
        and o.written < clock_timestamp() - interval '1 hour'
      for update skip locked
    );
  end if;
  return null;
end
$$;
create trigger notice_changes after insert on absfin.changes
  for each statement execute function absfin.notice_changes();

-- Realtime sends them to servers, which have the service's key; to nobody else: there is no policy.
grant select on absfin.change_notices to service_role;
do $$
begin
  if exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables) then
    alter publication supabase_realtime add table absfin.change_notices;
  end if;
  if exists (
    select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
    where p.pubname = 'supabase_realtime' and r.prrelid = 'absfin.changes'::regclass
  ) then
    alter publication supabase_realtime drop table absfin.changes;
  end if;
exception when insufficient_privilege then
  raise warning
    'supabase_realtime belongs to another role: add the table absfin.change_notices to it, or servers only look for changes';
end
$$;
revoke select on absfin.changes from service_role;

select absfin.complete_migration('20261129060000');
