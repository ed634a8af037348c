# What secure_bindings/ is made of, for whoever builds it: the kernel, libos, host tests and benchmarks.
SECURE_BINDINGS_SRCS := secure_bindings/capability.cpp
