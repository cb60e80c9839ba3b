"""Interceptors of every call, outermost first.

Handler cache, request context, log, errors, admission, idle limit, raw messages. Each covers all four shapes of RPC,
streams included. Health and reflection are the libraries' own and pass untouched: a busy server must still say that
it is healthy.
"""
