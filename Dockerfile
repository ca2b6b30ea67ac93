# A small image that runs as nobody in particular. `docker build -t countersign .`; docs/OPERATIONS.md tells how to run it.
# No secret goes in: the master key and the database's password are given when it runs.

FROM rust:1.95-slim-bookworm AS build
# OpenSSL and libpq are built in: they want make and the whole of perl.
RUN apt-get update \
    && apt-get install -y --no-install-recommends make perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin countersign

FROM debian:bookworm-slim
RUN groupadd --system --gid 10001 countersign \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/countersign --shell /usr/sbin/nologin countersign \
    && install -d -m 0700 -o countersign -g countersign /var/lib/countersign
COPY --from=build /src/target/release/countersign /usr/local/bin/countersign
# Whose certificates are believed when this server fetches what a client names.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/countersign/
COPY deploy/healthcheck /usr/local/bin/countersign-healthcheck
USER 10001:10001
# The defaults put countersign.db and keys/master.key here: mount a volume, or use PostgreSQL and a master key by environment.
WORKDIR /var/lib/countersign
ENV COUNTERSIGN_SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["countersign-healthcheck"]
ENTRYPOINT ["countersign"]
CMD ["serve"]
