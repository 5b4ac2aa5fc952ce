# The front door. Each goal gets what it needs by itself (scripts/deps), then configures and builds with Meson.
# Without make: the scripts it calls do the same.

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_RUNS ?= 100000000
FUZZ_TIME ?=
LIVES ?= 100000
FIRST ?= 1

.PHONY: help build demo check soak interop bench fuzz coverage fmt install clean

help:
	@echo 'Adit: a post-quantum IPsec suite'
	@echo
	@echo '  make demo       build, and watch two gateways set up a post-quantum tunnel on this machine (root)'
	@echo '  make build      the programs, into build/'
	@echo '  make check      every test; the last line counts them (STAGES="unit netns" runs only these)'
	@echo '  make soak       100,000 simulated lives of two hosts over bad networks (LIVES=, FIRST=), all key exchanges; make check has 10,000'
	@echo '  make interop    only the tests against live peers of other projects (root)'
	@echo '  make bench      measure speed and memory on this machine'
	@echo '  make fuzz       fuzz every parser: 10^8 executions in all (FUZZ_RUNS=; or FUZZ_TIME=60 seconds each)'
	@echo '  make coverage   lines and branches that unit and simulator tests cover; fails below 92 % and 80 %'
	@echo '  make fmt        format the C files'
	@echo '  make install    PREFIX=/usr/local DESTDIR='
	@echo '  make clean      remove the build folders (the built libraries stay in the cache)'
	@echo
	@echo 'What is missing on this machine: scripts/deps check'

build:
	@scripts/build release

demo:
	@scripts/demo --possible
	@scripts/deps ensure build demo
	@scripts/build release src/daemon/aditd src/cli/adit
	@scripts/demo

check:
	@scripts/deps ensure build || true
	@scripts/check $(STAGES)

soak:
	@scripts/soak $(LIVES) $(FIRST)

interop:
	@scripts/deps ensure build check interop
	@scripts/build release
	@tests/interop/run --write-docs
	@tests/interop/run-peers --write-docs
	@tests/interop/run-kernel --write-docs

bench:
	@scripts/deps ensure build check
	@scripts/build release
	@scripts/bench

fuzz:
	@FUZZ_RUNS='$(FUZZ_RUNS)' FUZZ_TIME='$(FUZZ_TIME)' scripts/fuzz

coverage:
	@scripts/coverage

fmt:
	@scripts/deps ensure dev
	@scripts/fmt

install:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

clean:
	rm -rf build build-asan build-coverage build-fuzz build-install
	rm -f .build*.lock build*.log
