# The two commands are `make demo` and `make test`; each does its own set-up.

.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz bench observed fmt lint

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: ## see a stack come up, roll under load, survive a bad update and drift
	@scripts/demo

test: ## everything that CI runs
	@scripts/test

soak: ## torment a stack at random for ten minutes (EVENKEEL_SOAK: for so many seconds) while evenkeel keeps it
	@environment=$$(scripts/setup) && eval "$$environment" && \
	  EVENKEEL_SOAK=$${EVENKEEL_SOAK:-600} cargo test --locked --test docker chaos:: -- --nocapture

fuzz: ## feed 100,000 inputs (EVENKEEL_FUZZ: so many) to the reader of Compose files; says which, and their seed
	@EVENKEEL_FUZZ=$${EVENKEEL_FUZZ:-100000} cargo test --locked --lib compose::tests::properties:: -- --nocapture

bench: ## time and memory, side by side with docker compose
	@scripts/bench

observed: ## leave what engines say of a stack of this version in tests/observed
	@environment=$$(scripts/setup) && eval "$$environment" && \
	  EVENKEEL_LEAVE_OBSERVED=1 cargo test --locked --test docker what_is_left_of

fmt: ## format the Rust sources
	@cargo fmt --all

lint: ## formatting, clippy and shellcheck, without a warning
	@scripts/lint
