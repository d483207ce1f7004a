#!/bin/sh
# Writes the manual pages and the completion scripts of the packages into dist-files, and builds the
# program that makes container images. The first argument is the version.
set -eu
# The date of the manual pages is that of the commit, so that the same commit gives the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
out=dist-files
rm -rf dist-files
mkdir -p "$out/man" "$out/completion"
# With the flags of the release, whose build then finds the packages compiled.
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags disable_grpc_modules -ldflags "-X github.com/balerhq/baler/cli.version=${1:-dev}" -o "$out/baler" ./cmd/baler
"$out/baler" man "$out/man" >/dev/null
gzip -9 -n "$out"/man/*.1
"$out/baler" completion bash >"$out/completion/baler.bash"
"$out/baler" completion zsh >"$out/completion/_baler"
"$out/baler" completion fish >"$out/completion/baler.fish"
rm "$out/baler"
(cd deploy/release/image && go build -o ../../../dist-files/image .)
