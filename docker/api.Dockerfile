# The API and everything else that needs no torch: api, platform worker, beat, migrate.
FROM python:3.12-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md ./
COPY adaptwin_core adaptwin_core
COPY api api
COPY worker worker
COPY migrations migrations
RUN pip install --no-deps --no-build-isolation . \
 && useradd --uid 10001 --no-create-home adaptwin \
 && install -d -o adaptwin -g adaptwin /data
USER adaptwin
VOLUME /data
CMD ["uvicorn", "--factory", "api.main:create_app", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
