# Stage 1: the lock, and nothing else, into a virtual environment.
FROM python:3.13.14-slim-bookworm@sha256:67a1e1f215ccda113cfc024e8639049257e88f273898f595b61476d128d387e8 AS build
WORKDIR /app
COPY deploy/image/uv.txt ./
RUN pip install --no-cache-dir --require-hashes -r uv.txt
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY protos ./protos
COPY clients/python ./clients/python
COPY domain ./domain
COPY server ./server
# docker build --build-arg RAY=1: with what a server and the nodes of a Ray cluster need.
ARG RAY=
RUN uv sync --locked --no-dev --no-editable --package abs-finance --extra web --extra telemetry ${RAY:+--extra ray}

# Stage 2: the environment under a user that owns only the data and what is compiled.
FROM python:3.13.14-slim-bookworm@sha256:67a1e1f215ccda113cfc024e8639049257e88f273898f595b61476d128d387e8
RUN useradd --system --uid 10001 --home-dir /var/lib/abs-finance --create-home absfinance \
    && chmod 700 /var/lib/abs-finance \
    && install -d -o absfinance /var/cache/abs-finance
COPY --from=build /app/.venv /app/.venv
# Few arenas of glibc: each of the server's threads otherwise keeps freed memory of its own.
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 XDG_CACHE_HOME=/var/cache/abs-finance \
    ABSFIN_LISTEN=127.0.0.1:50051 ABSFIN_DATA_DIR=/var/lib/abs-finance
# By its number, which Kubernetes can see is not root's.
USER 10001
# Compiled here, so that the first backtest does not wait for it.
RUN python -m domain.backtest.precompile
VOLUME /var/lib/abs-finance
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-m", "server.probe"]
ENTRYPOINT ["python", "-m", "server"]
