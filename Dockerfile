# Two images: docker build --target service-a . and docker build --target service-b .

FROM swift:6.3-bookworm AS source
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmicrohttpd-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies are fetched again only when the manifest changes, not with every source file.
COPY Package.* ./
RUN swift package resolve
COPY . .

# The flag changes how every module is compiled, so the two builds have nothing to share.
FROM source AS build-a
RUN swift build -c release --product service-a --static-swift-stdlib \
    && strip .build/release/service-a

# Dynamic, since libFoundationNetworking.so must stay a library of its own. With only those of the
# toolchain's libraries that the executable asks for, the image is half the size of one on
# swift:6.3-bookworm-slim.
FROM source AS build-b
RUN swift build -c release --product service-b \
    && mkdir lib \
    && ldd .build/release/service-b | awk '$3 ~ "^/usr/lib/swift/" { print $3 }' | xargs cp -t lib \
    && strip .build/release/service-b lib/*

# The health checks know the port from the environment (PORT), not from flags: a container is
# configured by its environment.
FROM debian:bookworm-slim AS service-a
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmicrohttpd12 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-a /src/.build/release/service-a /usr/local/bin/
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s \
    CMD ["service-a", "--healthcheck"]
ENTRYPOINT ["service-a"]

FROM debian:bookworm-slim AS service-b
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4 libmicrohttpd12 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-b /src/lib /usr/lib/swift/linux/
COPY --from=build-b /src/.build/release/service-b /usr/local/bin/
USER 65532:65532
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s \
    CMD ["service-b", "--healthcheck"]
ENTRYPOINT ["service-b"]
