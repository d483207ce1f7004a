# syntax=docker/dockerfile:1

# The binary is static, so that the image needs nothing but certificates and time
# zones, which distroless has. A worker whose recipes run other programs (ffmpeg,
# clamscan) copies /usr/local/bin/baler from here into an image that has them.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -tags disable_grpc_modules -trimpath -buildvcs=false -ldflags "-s -w -X github.com/balerhq/baler/cli.version=${VERSION}" \
    -o /out/baler ./cmd/baler

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/baler /usr/local/bin/baler
# The account nonroot, by number, so that a cluster can see that it is not root.
USER 65532:65532
EXPOSE 8080
# Checks that Redis and the database answer. To probe serve itself, use /healthz and
# /readyz.
HEALTHCHECK --interval=60s --timeout=15s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/baler", "doctor"]
ENTRYPOINT ["/usr/local/bin/baler"]
CMD ["help"]
