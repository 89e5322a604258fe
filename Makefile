# The two that matter: `make run` opens the wizard on this machine, `make test`
# proves everything. Both work on a fresh Debian-like machine with Go and root.

GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS    = -s -w -X main.version=$(VERSION)
BUILD      = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'

# Tools are pinned here and not in go.mod: what checks the product is no part of it.
GOLANGCI   = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULNCHECK  = golang.org/x/vuln/cmd/govulncheck@v1.9.0
TOOLS     ?= $(CURDIR)/.tools

.DEFAULT_GOAL := help
.PHONY: help run build build-all test unit e2e pairs emulated worlds worlds-go worlds-make fuzz lint vuln bench pictures golden clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build goxin and open the wizard on this machine; nothing but your answers is written before a confirmed diff
	@./bin/goxin

build: ## bin/goxin for this machine
	@mkdir -p bin
	$(BUILD) -o bin/goxin ./cmd/goxin

build-all: ## static binaries for all five architectures, in dist/; the loong64 one starts in both of LoongArch's worlds
	$(GO) run ./cmd/release -o dist -version '$(VERSION)'

test: export WORLDS = if-there
test: lint unit build-all emulated e2e worlds ## everything that proves it, the lab included

unit: ## tests that need nothing but Go
	$(GO) test ./...

emulated: ## detection on every captured machine, by the arm64, loong64 and mips64le builds under emulation
	@./.ci/emulated

worlds: ## the loong64 binary on an old-world and a new-world kernel, under emulation (OLDWORLD_QEMU: see .ci/oldworld-emulator.md)
	@./.ci/worlds $(WORLDS)

worlds-go: ## Go's own tests of what feels a signal ABI, in both worlds: too long for every day, so not in `make test`
	@./.ci/worlds go

worlds-make: ## a machine of the old world builds its own Go from source by the released binary: more than an hour
	$(GO) run ./cmd/lab prepare
	@./.ci/worlds make

# How many of the lab's tests go on at a time is theirs to say: by seats, and by turns.
e2e: ## the lab: systemd containers and virtual machines (installs what it needs, and says so first)
	$(GO) run ./cmd/lab prepare
	$(GO) test -tags e2e -count=1 -timeout 30m -v ./steps/origin ./steps/environment ./steps/build ./steps/report ./steps/selftest
	$(GO) test -tags e2e -count=1 -timeout 50m -parallel 64 -v ./cmd/lab

pairs: ## the HA pair on machines that take too long for every day: two of bullseye, two of trixie, amd64 with an emulated arm64
	$(GO) run ./cmd/lab prepare
	$(GO) test -tags e2e,pairs -count=1 -timeout 60m -v -run 'TestPairsOfOtherMachines$$' ./cmd/lab

# Shrinking inputs that only look new, as goroutines make them, would take all the time.
fuzz: ## every parser's fuzz target, ten seconds each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime 10s -fuzzminimizetime 10x $$p || exit 1; \
	  done; \
	done

lint: $(TOOLS)/golangci-lint vuln ## gofumpt, vet, staticcheck, the layering
	$(GO) mod tidy -diff
	$(TOOLS)/golangci-lint run --build-tags e2e,pairs

vuln: $(TOOLS)/govulncheck ## known vulnerabilities, where the database can be reached
	@if curl -fsS -m 10 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; \
	then $(TOOLS)/govulncheck ./...; \
	else echo "govulncheck: not run, its database cannot be reached from here"; fi

$(TOOLS)/golangci-lint: Makefile
	GOBIN=$(TOOLS) $(GO) install $(GOLANGCI) && touch $@

$(TOOLS)/govulncheck: Makefile
	GOBIN=$(TOOLS) $(GO) install $(VULNCHECK) && touch $@

bench: build ## goxin against what a person would do instead, as ratios of one run
	$(GO) run ./cmd/lab bench
	$(GO) run ./cmd/lab bench-go
	$(GO) run ./cmd/lab bench-ha
	$(GO) test -count=1 -run '^$$' -bench BesideLdd ./detect/elf
	$(GO) test -count=1 -run '^$$' -bench 'SerialLine|LongDiff|LongPair|KeyToRepaint' -benchtime 20x ./tui
	@$(GO) test -count=1 -v -run QuickestMirror ./steps/race | grep -E 'goxin:|one after another:|^(ok|FAIL)'

pictures: build ## the README's pictures, from the wizard's real screens
	$(GO) run ./cmd/pictures bin/goxin assets/pictures

golden: ## write the goldens anew, to be read in the diff
	$(GO) test ./... -run 'Golden|Screens|Machines' -update

clean: ## what make made, the lab's machines included
	rm -rf bin dist .tools
	-$(GO) run ./cmd/lab clean
