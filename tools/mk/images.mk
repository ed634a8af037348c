# Every image gets its disassembly and its symbols beside it.

all_images := $(sort $(IMAGES) $(LIBOS_IMAGES))

## all: build the kernel and every image
.PHONY: all
all: $(all_images) $(all_images:.elf=.asm) $(all_images:.elf=.sym)

build/%.asm: build/%.elf
	$(Q)$(OBJDUMP) --disassemble --demangle --no-show-raw-insn $< > $@

build/%.sym: build/%.elf
	$(Q)$(NM) --numeric-sort --demangle $< > $@

## size: image sizes, kernel size, and boot time from GRUB's hand-over to the first libOS instruction
.PHONY: size
size: all
	@tools/tessera scenarios/hello.toml --size

## format: run clang-format over the sources
.PHONY: format
format:
	$(Q)clang-format -i $$(git ls-files '*.cpp' '*.hpp')
