# Tradewind in a container: one image for every role, `tradewind migrate` and `tradewind simnet`.
#
#   docker build --tag tradewind .
#   docker run --rm --publish 127.0.0.1:8080:8080 --env TRADEWIND_OPEN=true \
#     --volume tradewind:/var/lib/tradewind tradewind
#
# The second line serves every role on SQLite in the volume. It takes requests on all of the container's addresses
# before there is a key, hence the variable; that nobody but this machine reaches it is the doing of `--publish 127.0.0.1:…`.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
# Both caches outlive the build: after a change only our own crates are compiled anew. What is in them is not in the image.
RUN --mount=type=cache,id=tradewind-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=tradewind-target,target=/source/target,sharing=locked \
    cargo build --release --locked --package tradewind \
    && install -D target/release/tradewind /built/tradewind

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="tradewind" \
      org.opencontainers.image.description="An order backend in one binary" \
      org.opencontainers.image.licenses="Apache-2.0"
# The roots of trust for TLS to PostgreSQL, Redis, NATS and venues.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /built/tradewind /usr/local/bin/tradewind
COPY --chmod=755 deploy/healthy /usr/local/bin/healthy
RUN groupadd --gid 10001 tradewind \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tradewind --shell /usr/sbin/nologin tradewind \
    && install -d -o 10001 -g 10001 -m 700 /var/lib/tradewind
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
# Where SQLite's default, `data/tradewind.db`, is made. In a cluster nothing is written here.
WORKDIR /var/lib/tradewind
ENV TRADEWIND_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["healthy"]
ENTRYPOINT ["tradewind"]
CMD ["serve"]
