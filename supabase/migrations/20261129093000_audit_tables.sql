-- The audit log is append-only against TRUNCATE too, which fires no trigger of rows, and so are the two tables beside it: the
-- last number of an owner stays and only grows, and so does the key up to which old events were removed.

create function absfin.refuse_audit_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the audit log is append-only';
end
$$;

create function absfin.refuse_audit_owner_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and new.owner = old.owner and new.last > old.last then
    return new;
  end if;
  raise exception 'the audit log is append-only';
end
$$;

create function absfin.refuse_audit_log_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and new.removed >= old.removed then
    return new;
  end if;
  raise exception 'the audit log is append-only';
end
$$;

create trigger audit_events_stay_whole before truncate on absfin.audit_events
  for each statement execute function absfin.refuse_audit_truncate();
create trigger audit_owners_stay_whole before truncate on absfin.audit_owners
  for each statement execute function absfin.refuse_audit_truncate();
create trigger audit_log_stays_whole before truncate on absfin.audit_log
  for each statement execute function absfin.refuse_audit_truncate();
create trigger audit_owners_stay before update or delete on absfin.audit_owners
  for each row execute function absfin.refuse_audit_owner_change();
create trigger audit_log_stays before update or delete on absfin.audit_log
  for each row execute function absfin.refuse_audit_log_change();

select absfin.complete_migration('20261129093000');
