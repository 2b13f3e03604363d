# One container, no Redis. The steps are the project's own set-up script, which `make run` and CI use too.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/lagebild
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends make libatomic1 && rm -rf /var/lib/apt/lists/* \
 && scripts/setup run \
 && rm -rf web/dashboard/node_modules

FROM python:3.11-slim-bookworm
# SRT is off without it.
RUN apt-get update && apt-get install -y --no-install-recommends libsrt1.5-gnutls && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/lagebild /opt/lagebild
# Its data folder is there from the start, so that a volume mounted on it is the user's.
RUN useradd --system --create-home lagebild && install -d -o lagebild -g lagebild -m 700 /home/lagebild/data
USER lagebild
WORKDIR /home/lagebild
VOLUME /home/lagebild/data
ENV PATH=/opt/lagebild/.venv/bin:$PATH PYTHONUNBUFFERED=1
# The page; the picture to viewers and from WHIP; RTMP; SRT. Raw RTP, MPEG-TS and MAVLink: as configured.
EXPOSE 8080/tcp 8189/udp 8189/tcp 1935/tcp 8890/udp
# Encrypted where it is opened to the network, as below; behind a proxy it may not be.
HEALTHCHECK CMD python -c "import ssl, urllib.request as u; c = ssl.create_default_context(); c.check_hostname = False; \
 c.verify_mode = ssl.CERT_NONE; u.urlopen('https://127.0.0.1:8080/healthz', timeout=3, context=c)" \
 || python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"
ENTRYPOINT ["lagebild"]
CMD ["serve", "--host", "0.0.0.0"]
