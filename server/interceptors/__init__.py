"""Interceptors of every call, outermost first.

Handler cache, request context, log, metrics where they are asked for, errors, audit log, authentication, admission,
idle limit, raw messages. Each covers all four shapes of RPC, streams included. Health and reflection are the
libraries' own and pass untouched, but for the question who calls where the settings close them: a busy server must
still say that it is healthy.
"""
