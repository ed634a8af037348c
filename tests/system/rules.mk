# Programs of this folder that forge capability chains of their own need the same MAC as the kernel.

build/libos/adversary_capabilities.elf build/libos/fuzzer.elf: LIBOS_OBJS += -l:libsodium.a
