# `make` lists the targets; CI runs `make ci`, which is `make check` with a faster look at vulnerabilities.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL: # the tests run last and use all processors themselves

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Packages whose tests take longest begin first, so that none of them is left alone at the end.
SLOWEST := ./internal/systemtest ./cli ./internal/crashtest ./internal/store ./internal/browsertest
PKG ?= $(SLOWEST) ./...
TEST_FLAGS ?=
TEST_TIMEOUT ?= 15m
PARALLEL ?= 4 # tests of a package at once: most wait for servers and deadlines most of the time
FUZZTIME ?= 10s
SOAK ?= 10m

# VERSION sets the version. Go's own version stamping is off, because it makes every
# build fail in a clone that belongs to another account.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

# Runs a command with a temporary Redis and MySQL; installs them if necessary.
WITH_SERVERS := .cache/bin/with-servers

# Building the linter takes minutes, so all clones of an account share one.
LINT_VERSION := v2.15.0
CACHE := $(or $(XDG_CACHE_HOME),$(if $(HOME),$(HOME)/.cache),$(CURDIR)/.cache)
LINT_DIR = $(CACHE)/baler/golangci-lint-$(LINT_VERSION)-$(shell $(GO) env GOVERSION)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Leaves out the direct path of Google Cloud Storage, which nothing here uses: 12 MB of code.
TAGS := disable_grpc_modules

.PHONY: build
build: ## Build the static binary bin/baler
	CGO_ENABLED=0 $(GO) build -tags $(TAGS) -trimpath -ldflags '-s -w -X github.com/balerhq/baler/cli.version=$(VERSION)' -o bin/baler ./cmd/baler
	@cp bin/baler bin/.baler && mv bin/.baler bin/baler # a run over many files takes 190 MiB instead of 200: the kernel maps less of a copied file than of one as the linker writes it

.PHONY: man
man: build ## Write the manual pages into bin/man
	bin/baler man bin/man

.PHONY: test
test: with-servers ## Run every test (PKG=./internal/store/... TEST_FLAGS='-run Name' to choose)
	$(WITH_SERVERS) $(GO) test -parallel $(PARALLEL) -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(PKG)

.PHONY: race
race: with-servers ## Run every test with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(WITH_SERVERS) $(GO) test -race -parallel $(PARALLEL) -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(PKG)

.PHONY: check
check: fmt vet lint mod vulns test ## Check everything: run it before you propose a change

.PHONY: ci
ci: fmt vet lint mod library-vulns test ## Run what CI runs: check, without vulnerabilities of Go itself

.PHONY: fmt
fmt: ## List files that gofmt would change
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "run gofmt -w on:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: ## Run go vet
	$(GO) vet ./...

.PHONY: lint
lint: ## Run golangci-lint; build it first if necessary
	@if [ ! -x '$(LINT_DIR)/golangci-lint' ]; then \
		echo 'building golangci-lint $(LINT_VERSION), once'; \
		GOFLAGS= GOBIN='$(LINT_DIR)' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION); \
	fi
	'$(LINT_DIR)/golangci-lint' run --allow-parallel-runners ./...

.PHONY: mod
mod: ## Verify go.mod and go.sum, and check that they are tidy
	$(GO) mod verify
	$(GO) mod tidy -diff

# The version of the database is fixed in .ci/vulns/main.go, and .ci/vulns/accepted.txt names what is accepted of Go itself:
# the same code and Go give the same answer. VULNDB=latest asks the newest database.
VULNDB ?=

.PHONY: vulns
vulns: ## Fail if the code can reach a known vulnerability (VULNDB=latest for the newest list)
	cd .ci/vulns && GOFLAGS= $(GO) test . && GOFLAGS= $(GO) run . -C ../.. $(if $(VULNDB),-db $(VULNDB))

.PHONY: library-vulns
library-vulns: ## Fail if the code can reach a known vulnerability of a library: seconds, not minutes
	cd .ci/vulns && GOFLAGS= $(GO) test . && GOFLAGS= $(GO) run . -libraries -C ../.. $(if $(VULNDB),-db $(VULNDB))

.PHONY: picture
picture: ## Draw the packages in docs/architecture.md again
	$(GO) run ./internal/architecture/cmd/draw

.PHONY: screenshots
screenshots: with-servers ## Take the pictures in docs/screenshots again
	$(WITH_SERVERS) $(GO) test -count=1 ./internal/browsertest -screenshots $(CURDIR)/docs/screenshots

.PHONY: docs
docs: ## Write the pages of handlers in docs/handlers again
	$(GO) run ./cmd/baler handlers --write docs/handlers

.PHONY: soak
soak: with-servers ## Run the soak tests for SOAK=10m
	BALER_SOAK=$(SOAK) $(WITH_SERVERS) $(GO) test -count=1 -timeout 0 -run '^TestSoak' -v $(PKG)

.PHONY: bench
bench: build with-servers ## Run every benchmark
	$(WITH_SERVERS) true # installs missing servers; bench starts its own
	bin/baler bench pipeline
	bin/baler bench batch
	bin/baler bench commit
	bin/baler bench latency
	bin/baler bench makespan
	bin/baler bench load

.PHONY: fuzz
fuzz: ## Fuzz every decoder for FUZZTIME=10s
	@$(GO) test -list '^Fuzz' $(PKG) \
	| awk '/^Fuzz/ {name[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, name[i]; n = 0}' \
	| while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done

.PHONY: chart
chart: ## Check the Helm chart against the types of Kubernetes and KEDA
	cd deploy/helm/check && $(GO) test -count=1 ./...

.PHONY: compose-check
compose-check: ## Check docker-compose.yml; where a container engine is, run it with four workers and kill one
	deploy/compose-check

# Later versions need more modules, for MSIX packages, which are not released.
RELEASER := github.com/goreleaser/goreleaser/v2@v2.15.0
SBOM := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

.PHONY: release-check
release-check: chart ## Build all files of a release into dist, open each of them, and publish nothing (needs bsdtar)
	GOFLAGS= GOBIN='$(CURDIR)/.cache/bin' $(GO) install $(SBOM)
	GOFLAGS= GOBIN='$(CURDIR)/.cache/bin' $(GO) install $(RELEASER)
	cd deploy/release/image && GOFLAGS= $(GO) test .
	GOFLAGS= PATH='$(CURDIR)/.cache/bin':"$$PATH" goreleaser release --snapshot --clean --parallelism 1
	cp dist-files/*_image.tar dist/
	deploy/release/check dist

.PHONY: clean
clean: ## Remove build outputs
	rm -rf bin dist dist-files .cache

.PHONY: with-servers
with-servers:
	@$(GO) build -o $(WITH_SERVERS) ./internal/testkit/cmd/with-servers
