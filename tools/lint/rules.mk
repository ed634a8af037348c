# Lints: the layering of the sources, and what is in the linked kernel.

TEST_TARGETS += lint kernel-lint
TEST_FILES   += build/kernel/tessera.elf

## lint: who includes whom, where assembly is, what a source may not say
.PHONY: lint
lint:
	@$(PYTHON) tools/lint/lint.py

## kernel-lint: nothing in the linked kernel that does not belong there
.PHONY: kernel-lint
kernel-lint: build/kernel/tessera.elf
	@$(PYTHON) tools/lint/kernel_link.py $< build/kernel/tessera.map
