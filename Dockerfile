# Stage 1: the lock, and nothing else, into a virtual environment.
FROM python:3.13-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY protos ./protos
COPY clients/python ./clients/python
COPY domain ./domain
COPY server ./server
RUN uv sync --locked --no-dev --no-editable --package abs-finance --extra web --extra telemetry

# Stage 2: the environment under a user that owns only the data.
FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/abs-finance --create-home absfinance \
    && chmod 700 /var/lib/abs-finance \
    && install -d -o absfinance /var/cache/abs-finance
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/var/cache/abs-finance \
    ABSFIN_LISTEN=127.0.0.1:50051 ABSFIN_DATA_DIR=/var/lib/abs-finance
USER absfinance
# Compiled here, so that the first backtest does not wait for it.
RUN python -m domain.backtest.precompile
VOLUME /var/lib/abs-finance
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-m", "server.probe"]
ENTRYPOINT ["python", "-m", "server"]
