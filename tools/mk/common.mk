# What every fragment may use: programs, the terse printing of steps, automatic dependencies.

# Files are named from the root of the tree in what it compiles, which is where gdb and addr2line are run: debug information
# stays right when the tree is moved or copied after it was built.
CXX     := g++ -ffile-prefix-map=$(CURDIR)=.
AR      := ar
LD      := ld
OBJCOPY := objcopy
OBJDUMP := objdump
NM      := nm
PYTHON  := tools/python

# $(call step,CXX,file): one line a step.  $(Q) before a command: hidden unless V=1.
Q    := $(if $(filter-out 0,$(V)),,@)
step = @printf '  %-6s %s\n' '$(1)' '$(2)'

# To be added to compiler flags: a .d file beside every object, with phony targets for deleted headers.
DEPFLAGS = -MMD -MP -MF $(@:.o=.d)

# $(call depend,objects): read their .d files.
depend = $(eval -include $(patsubst %.o,%.d,$(1)))

# Keep what pattern rules make on the way.
.SECONDARY:

IMAGES        :=
TEST_FILES    :=
TEST_TARGETS  :=
TEST_SCENARIOS :=
BENCH_TARGETS :=

# LIBOS=path/to/my.cpp: libos/rules.mk makes build/libos/user-my.elf of it.
ifdef LIBOS
ifneq ($(words $(LIBOS)),1)
$(error LIBOS="$(LIBOS)": must be one file, and make cannot take a path with a space in it)
endif
ifneq ($(suffix $(LIBOS)),.cpp)
$(error LIBOS=$(LIBOS): must be a .cpp file)
endif
ifeq ($(wildcard $(LIBOS)),)
$(error LIBOS=$(LIBOS): there is no such file)
endif
LIBOS_SRC := $(LIBOS)
endif
