.PHONY: run test api-test soak demo lint format setup help

# What the Swift toolchain does not bring.
PACKAGES := libmicrohttpd-dev pkg-config curl
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
install = { echo "installing $(1)"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $(1); }

run: setup ## Build both services and run them until Ctrl-C
	swift build -c release --product service-a
	swift build -c release --product service-b
	@scripts/run

test: setup ## Run the tests
	swift build --build-tests
	swift test --skip-build

api-test: setup ## Hold the services against their descriptions, with tools from PyPI
	@python3 -c 'import ensurepip' 2>/dev/null || $(call install,python3-venv)
	swift build --product service-a
	swift build --product service-b
	@scripts/api-test

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
	@{ pkg-config --exists libmicrohttpd && command -v curl; } >/dev/null 2>&1 || \
		$(call install,$(PACKAGES))

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
