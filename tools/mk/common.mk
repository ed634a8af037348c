# What every fragment may use: programs, the terse printing of steps, automatic dependencies.

CXX     := g++
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
BENCH_TARGETS :=
