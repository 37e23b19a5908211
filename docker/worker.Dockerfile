# Workers: the API's image with torch. On Linux the registry's torch brings CUDA, which CPU workers do not mind; for a
# smaller CPU image, name an index that has CPU builds: docker compose build --build-arg PIP_EXTRA_INDEX_URL=…
FROM python:3.12-slim
ARG PIP_EXTRA_INDEX_URL=""
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HOME=/data/hub
WORKDIR /app
COPY requirements.lock requirements-torch.txt ./
RUN pip install --require-hashes --no-deps -r requirements.lock && pip install -r requirements-torch.txt
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
CMD ["celery", "--app", "worker.app", "worker", "--queues", "model,audio", "--concurrency", "1", "--loglevel", "INFO"]
