# The protocol by which frames are taken away while several CPUs use them, as models that spin checks.

TEST_TARGETS += model-tests

## model-tests: the models of revocation hold, and spin finds every mistake that they can be told to make
.PHONY: model-tests
model-tests:
	@$(PYTHON) tests/model/run.py
