# The tests: all layers and all scenarios, then one verdict. Everything is built before anything runs, so that the
# layers, each run by a make of its own, find their files ready and may run side by side.

TEST_TARGETS += tools-tests debug-tests docs-tests bochs-tests

## test: build and run every test
.PHONY: test
test:
	@V=$(V) $(PYTHON) tools/run_tests.py --jobs $(JOBS) --build \
	    $(addprefix --layer ,$(TEST_TARGETS)) $(wildcard tests/system/*.toml) $(TEST_SCENARIOS)

.PHONY: test-files
test-files: all $(TEST_FILES)

## tools-tests: unit tests of the scenario runner and the test runner
.PHONY: tools-tests
tools-tests:
	@$(PYTHON) tests/tools/run.py

## debug-tests: the debugger's commands and printers, and the names in a panic, with a booted kernel
.PHONY: debug-tests
debug-tests: all
	@$(PYTHON) tests/tools/debugging.py

## docs-tests: what the documents say can be typed, can; what they name is there
.PHONY: docs-tests
docs-tests: all
	@$(PYTHON) tests/tools/documents.py

## bench: every benchmark
.PHONY: bench
bench: $(BENCH_TARGETS)
