.PHONY: run test api-test check deploy-test stack-test page-test readme-test docs examples failures \
	clients soak torture demo bench lint format setup help

# What the Swift toolchain does not include.
PACKAGES := libmicrohttpd-dev pkg-config curl
BENCH_PACKAGES := wrk gcc libc6-dev python3-venv golang-go
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
install = { echo "installing $(1)"; \
	$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $(1); }

run: setup ## Build both services and run them until Ctrl-C
	swift build -c release --product service-a
	swift build -c release --product service-b
	@scripts/run

test: setup ## Run the tests
	swift build --build-tests
	swift test --skip-build

api-test: setup ## Test the services against their descriptions, with tools from PyPI
	@python3 -c 'import ensurepip' 2>/dev/null || $(call install,python3-venv)
	swift build --product service-a
	swift build --product service-b
	@scripts/api-test

deploy-test: setup ## Validate deploy/, with tools from PyPI and Debian
	@python3 -c 'import ensurepip' 2>/dev/null || $(call install,python3-venv)
	@apt-cache show prometheus >/dev/null 2>&1 || $(SUDO) apt-get update -qq
	swift build --product service-a
	swift build --product service-b
	@scripts/deploy-test

stack-test: ## Update, scale, kill and freeze under load, on the current Docker engine
	@scripts/stack-test

page-test: setup ## Watch Service B's page in a browser, with Debian's Chromium
	@command -v chromium chromedriver >/dev/null || $(call install,chromium chromium-driver)
	swift build --product service-a
	swift build --product service-b
	@scripts/page-test

readme-test: setup ## Run the documentation's curls, and compare their output
	swift build --product service-a
	swift build --product service-b
	@scripts/readme-test

docs: setup ## Build the documentation of MicroHTTPD, without a warning
	swift build --target MicroHTTPD
	@scripts/docs

examples: setup ## Build the package in Examples, which uses MicroHTTPD from outside
	swift build --package-path Examples/Hello

soak: setup ## Kill, freeze and restart Service A for minutes, and measure
	swift build -c release --build-tests -Xswiftc -enable-testing --scratch-path .build-soak
	SOAK=1 swift test -c release --skip-build --scratch-path .build-soak --filter SoakTests

# A sanitizer makes everything slow: a quarter of the requests.
# No search for leaks: Swift Testing's own task lives when its process ends.
TORTURE := $(if $(SANITIZE),0.25,1)
TORTURE_BUILD := -c release --scratch-path .build-soak$(SANITIZE) $(SANITIZE:%=--sanitize=%)
torture: setup ## Malformed requests, slow clients, restarts; SANITIZE=thread or address
	swift build $(TORTURE_BUILD) --build-tests -Xswiftc -enable-testing
	ASAN_OPTIONS=detect_leaks=0 TORTURE=$(TORTURE) \
		swift test $(TORTURE_BUILD) --skip-build --disable-xctest --no-parallel \
		--filter TortureTests

demo: setup ## See Service A fail, and Service B survive
	swift build -c release --product service-a
	swift build -c release --product service-b
	@scripts/demo

failures: setup ## Run all misbehaviours against Service B, for FAILURES.md (2 minutes)
	swift build --product service-b
	swift build --product misbehave
	@scripts/failures >FAILURES.new && mv FAILURES.new FAILURES.md

CLIENT_PACKAGES := jq golang-go nodejs default-jdk-headless libjackson2-databind-java python3-venv
JACKSON := $(subst $() ,:,$(addprefix /usr/share/java/jackson-,core.jar databind.jar annotations.jar))
clients: setup ## Run them against other HTTP clients, for docs/clients.md (half an hour)
	@{ command -v jq go node javac && python3 -c 'import ensurepip' && \
		ls /usr/share/java/jackson-databind.jar; } >/dev/null 2>&1 || \
		$(call install,$(CLIENT_PACKAGES))
	swift build --product service-b
	swift build --product misbehave
	swift build --package-path Clients
	cd Clients && python3 -m venv .build/venv && \
		.build/venv/bin/pip install -q requests httpx aiohttp
	cd Clients && go build -o .build/go-client client.go
	cd Clients && javac -cp $(JACKSON) -d .build/java Client.java
	@Clients/table.py >clients.new && mkdir -p docs && mv clients.new docs/clients.md

# BENCH_OPTIONS=--quick for one short round, to see whether everything works.
bench: setup ## Measure both services beside similar ones (15 minutes)
	@{ command -v wrk && command -v cc && command -v go && python3 -c 'import ensurepip'; } >/dev/null 2>&1 || \
		$(call install,$(BENCH_PACKAGES))
	swift build -c release --product service-a --static-swift-stdlib --scratch-path .build-static
	swift build -c release --product service-b
	swift build -c release --package-path Benchmarks
	cd Benchmarks && cc -O2 -o .build/baseline Sources/C/baseline.c -lmicrohttpd
	cd Benchmarks && cc -O2 -o .build/openloop Sources/C/openloop.c -pthread
	cc -O2 -shared -fPIC -I Sources/CFoundationNetworkingFixes/include \
		-o Benchmarks/.build/fixes.so Sources/CFoundationNetworkingFixes/*.c
	cd Benchmarks && python3 -m venv .build/venv && .build/venv/bin/pip install -q flask requests
	cd Benchmarks && { go build -o .build/go-services Sources/Go/main.go || \
		rm -f .build/go-services; }
	Benchmarks/bench.py $(BENCH_OPTIONS)

SWIFT_FILES := Package.swift Sources Tests $(foreach package,Benchmarks Clients Examples/Hello,\
	$(package)/Package.swift $(package)/Sources)

lint: ## Check the format, the rules of the tree and the documentation, and the hashes of the page
	@scripts/page-hashes --check
	swift format lint --strict --recursive --parallel $(SWIFT_FILES)
	@scripts/lint

check: ## What must pass before a change lands: lint, test, docs, and four tests of services and files
	$(MAKE) lint
	$(MAKE) test
	$(MAKE) docs
	$(MAKE) readme-test
	$(MAKE) api-test
	$(MAKE) page-test
	$(MAKE) deploy-test

format: ## Format
	swift format --in-place --recursive --parallel $(SWIFT_FILES)

setup:
	@{ pkg-config --exists libmicrohttpd && command -v curl; } >/dev/null 2>&1 || \
		$(call install,$(PACKAGES))

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
