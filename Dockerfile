# One image for every service: `muster up --services NAME`.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --package muster && cp target/debug/muster /usr/local/bin/muster

FROM debian:12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/muster muster
COPY --from=build /usr/local/bin/muster /usr/local/bin/muster
USER muster
ENV MUSTER_DATA_FOLDER=/var/lib/muster
VOLUME /var/lib/muster
ENTRYPOINT ["/usr/local/bin/muster"]
CMD ["up"]
