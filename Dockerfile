# Three images: docker build --target service-a . or service-b or misbehave.

FROM swift:6.3-bookworm AS source
# The images get their libraries from here, hence the upgrade.
RUN apt-get update \
    && apt-get upgrade -y \
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
    && strip .build/release/service-a \
    && scripts/image-root .build/release/service-a /root-a

# Dynamic, since libFoundationNetworking.so must stay a library of its own.
FROM source AS build-b
RUN swift build -c release --product service-b \
    && strip .build/release/service-b \
    && scripts/image-root .build/release/service-b /root-b

FROM source AS build-misbehave
RUN swift build -c release --product misbehave --static-swift-stdlib \
    && strip .build/release/misbehave \
    && scripts/image-root .build/release/misbehave /root-misbehave

# Nothing is in an image but the executable and its libraries: no shell, no tools, no writable
# folder. The health checks know the port from the environment (PORT), not from flags: a container
# is configured by its environment.
FROM scratch AS service-a
COPY --from=build-a /root-a /
COPY --from=build-a /src/.build/release/service-a /
USER 65532:65532
# The build fails if something is missing to start with.
RUN ["/service-a", "--version"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s \
    CMD ["/service-a", "--healthcheck"]
ENTRYPOINT ["/service-a"]

# docker run --rm -p 8080:8080 misbehave serve drips-body --host 0.0.0.0
FROM scratch AS misbehave
COPY --from=build-misbehave /root-misbehave /
COPY --from=build-misbehave /src/.build/release/misbehave /
USER 65532:65532
RUN ["/misbehave", "list"]
EXPOSE 8080
ENTRYPOINT ["/misbehave"]
CMD ["list"]

FROM scratch AS service-b
COPY --from=build-b /root-b /
COPY --from=build-b /src/.build/release/service-b /
USER 65532:65532
RUN ["/service-b", "--version"]
# Unless it is set, glibc raises it by itself, and keeps more and more of what was freed: 750 MB instead
# of 250 after 60,000 calls of a Service A that never finishes an answer of 128 KiB.
ENV MALLOC_MMAP_THRESHOLD_=65536
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s --start-interval=1s \
    CMD ["/service-b", "--healthcheck"]
ENTRYPOINT ["/service-b"]
