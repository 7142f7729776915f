.PHONY: run test soak demo lint format setup help

# What the Swift toolchain does not bring.
PACKAGES := libmicrohttpd-dev pkg-config curl
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

run: setup ## Build both services and run them until Ctrl-C
	swift build -c release --product service-a
	swift build -c release --product service-b
	@scripts/run

test: setup ## Run the tests
	swift build --build-tests
	swift test --skip-build

soak: setup ## Kill, freeze and restart Service A for minutes, and measure
	swift build -c release --build-tests -Xswiftc -enable-testing --scratch-path .build-soak
	SOAK=1 swift test -c release --skip-build --scratch-path .build-soak --filter SoakTests

demo: setup ## See Service A fail, and Service B not
	swift build -c release --product service-a
	swift build -c release --product service-b
	@scripts/demo

lint: ## Check the format
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## Format
	swift format --in-place --recursive --parallel Package.swift Sources Tests

setup:
	@{ pkg-config --exists libmicrohttpd && command -v curl; } >/dev/null 2>&1 || { \
		echo "installing $(PACKAGES)"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $(PACKAGES); }

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
