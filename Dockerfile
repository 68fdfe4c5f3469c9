# Two stages: build on Debian 12 with the same packages as ./run, then a small runtime image.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev meson \
    ninja-build pkg-config libmicrohttpd-dev libcurl4-openssl-dev libssl-dev libjson-c-dev libpq-dev libsodium-dev \
    liboath-dev libqrencode-dev libmimalloc-dev zlib1g-dev libpango1.0-dev libcairo2-dev libpcre2-dev npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN web/build-assets && meson setup build --buildtype=release --prefix=/usr -Dtests=disabled && \
    ninja -C build && DESTDIR=/out meson install -C build

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libmicrohttpd12 libcurl4 libssl3 \
    libmimalloc2.0 libjson-c5 libpq5 libsodium23 liboath0 libqrencode4 libpangocairo-1.0-0 libpcre2-8-0 fonts-inter fonts-dejavu-core \
    fonts-noto-core fonts-droid-fallback && rm -rf /var/lib/apt/lists/* && \
    useradd --system --home-dir /var/lib/tollgate --create-home tollgate
COPY --from=build /out/ /
USER tollgate
VOLUME /var/lib/tollgate
EXPOSE 8080
ENTRYPOINT ["/usr/bin/tollgate"]
CMD ["serve"]
