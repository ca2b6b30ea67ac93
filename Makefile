# The one door: `make` lists what there is. Everything is cargo underneath; CONTRIBUTING.md tells how.

TARGET := $(or $(CARGO_TARGET_DIR),target)
# The first of the demo's four ports.
PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help demo test bench bench-growth lint docs-check

help:
	@echo 'make demo        build and start everything to try it out; all that it makes lies in demo-data/'
	@echo 'make test        install what the tests need when it is missing, then run all: SQLite, PostgreSQL, Chromium'
	@echo 'make bench       the server beside a floor of this machine, in release mode'
	@echo 'make bench-growth  a refresh beside millions of rows, and while they are swept; some 6 GB in target/ and /tmp'
	@echo 'make lint        formatting and lints; a warning is an error'
	@echo 'make docs-check  the API documentation builds, docs/CONFIG.md is fresh, links in the pages lead somewhere'

demo:
	cargo build --locked --examples --bin countersign
	@exec $(TARGET)/debug/countersign demo --folder demo-data --port $(PORT) --examples $(TARGET)/debug/examples

# The integration tests come last: what they say is the end of the output.
test:
	tools/test-deps
	cargo build --locked --examples
	cargo test --locked --doc
	cargo test --locked --bins --examples
	cargo test --locked --lib --test it

bench:
	cargo bench --locked --bench pairs

bench-growth:
	cargo bench --locked --bench pairs -- --growth

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

docs-check:
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
	cargo test --locked --lib config::reference
	cargo test --locked --test it tidy::
