"""A server of the Model Context Protocol (MCP): tools of the engine for a language model, over the Python client.

`tool` says what a tool is, `arguments` what tools are called with, `compact` how they answer and `failures` how they
fail. The tools are in `stored_results`, `market_data`, `computations` and `storing`; `server` offers them over standard
input and output. Needs the extra absfin[mcp].
"""
