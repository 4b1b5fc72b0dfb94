# The two commands are `make demo` and `make test`; each does its own set-up.

.DEFAULT_GOAL := help
.PHONY: help demo test bench observed fmt lint

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: ## see a stack come up, roll under load, survive a bad update and drift
	@scripts/demo

test: ## everything that CI runs
	@scripts/test

bench: ## time and memory, side by side with docker compose
	@scripts/bench

observed: ## leave what engines say of a stack of this version in tests/observed
	@environment=$$(scripts/setup) && eval "$$environment" && \
	  EVENKEEL_LEAVE_OBSERVED=1 cargo test --locked --test docker what_is_left_of

fmt: ## format the Rust sources
	@cargo fmt --all

lint: ## formatting, clippy and shellcheck, without a warning
	@scripts/lint
