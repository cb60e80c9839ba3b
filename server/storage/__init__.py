"""Where things are kept: `embedded` on one machine, `supabase` for several servers; both share the modules beside."""
