"""A team: a Supabase project, or any PostgreSQL behind PostgREST, reached with supabase-py.

Begin with `rpc`: a store calls one function of the schema `absfin` for each thing that it does, and that is one
transaction. The schema is in supabase/migrations; `versions` says which of them this version needs.
"""
