# The tests: all layers and all scenarios, then one verdict.

## test: build and run every test
.PHONY: test
test:
	@$(PYTHON) tools/run_tests.py --jobs $(JOBS) --build "all $(TEST_FILES)" \
	    $(addprefix --layer ,$(TEST_TARGETS)) $(wildcard tests/system/*.toml)

## bench: every benchmark
.PHONY: bench
bench: $(BENCH_TARGETS)

TEST_TARGETS += tools-tests
## tools-tests: unit tests of the scenario runner and the test runner
.PHONY: tools-tests
tools-tests:
	@$(PYTHON) tests/tools/run.py
