# The image of a Linux guest: Debian's kernel and a small userland, from Debian's packages, which apt downloads once.
#
#   build/guests/linux/vmlinux    the kernel's ELF file, as it is in Debian's bzImage (vmlinuz beside it)
#   build/guests/linux/initrd     its first file system
#   build/guests/linux/disk       a disk with a file system that holds a file and its checksum

LINUX := build/guests/linux

$(LINUX)/packages.json: guests/linux/packages.py guests/linux/modules.py
	$(call step,APT,$(LINUX)/packages)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) guests/linux/packages.py $(@D)
	$(Q)touch $@

$(LINUX)/vmlinux: $(LINUX)/packages.json guests/linux/extract.py
	$(call step,XTRACT,$@)
	$(Q)$(PYTHON) guests/linux/extract.py $(LINUX)/unpacked/vmlinuz $@

$(LINUX)/ticks: guests/linux/ticks.S
	$(call step,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -nostdlib -static -no-pie -s -Wl,--build-id=none -o $@ $<

$(LINUX)/initrd: $(LINUX)/packages.json $(LINUX)/ticks $(wildcard guests/linux/*.py) $(shell find guests/linux/userland -type f)
	$(call step,CPIO,$@)
	$(Q)$(PYTHON) guests/linux/initramfs.py $(LINUX)/unpacked $(LINUX)/ticks $@

$(LINUX)/disk: guests/linux/rules.mk
	$(call step,MKE2FS,$@)
	$(Q)rm -rf $@ $@.files && mkdir -p $@.files
	$(Q)seq 1 50000 > $@.files/words && sha256sum < $@.files/words | cut -d' ' -f1 > $@.files/words.sum
	$(Q)PATH=$$PATH:/usr/sbin:/sbin mke2fs -q -t ext2 -b 4096 -m 0 -E root_owner=0:0 -d $@.files $@ 4m >/dev/null

## linux-guest-image: Debian's kernel and busybox, downloaded by apt, made into what a guest boots
.PHONY: linux-guest-image
linux-guest-image: $(LINUX)/vmlinux $(LINUX)/initrd $(LINUX)/disk
	@$(PYTHON) guests/linux/describe.py $(LINUX) build/results/linux-guest.json

## guest-shell: a shell in a Linux guest, at this terminal (Ctrl-] leaves)
.PHONY: guest-shell
guest-shell: all $(LINUX)/vmlinux $(LINUX)/initrd $(LINUX)/disk
	@tools/tessera guest-shell --console

TEST_FILES   += $(LINUX)/vmlinux $(LINUX)/initrd $(LINUX)/disk
TEST_TARGETS += linux-guest-tests

# In a monitor: to its shell, typed at by the runner; alone, with shadow paging, with two CPUs, and two of them on a switch.
TEST_FILES     += build/libos/linux_guest.elf build/libos/net_switch.elf build/libos/neighbour.elf
TEST_SCENARIOS += $(addprefix scenarios/, guest-shell.toml linux.toml linux-shadow.toml linux_smp.toml linux-guests.toml)

BENCH_TARGETS += bench-linux-boot

## bench-linux-boot: Debian's kernel to its first program, in a guest and bare; build/results/linux_boot.json
.PHONY: bench-linux-boot
bench-linux-boot: build/kernel/tessera.elf build/libos/linux_guest.elf build/libos/guest_paths.elf $(LINUX)/vmlinux $(LINUX)/initrd
	@$(PYTHON) bench/linux_boot.py

## linux-guest-tests: that image, booted by QEMU alone
.PHONY: linux-guest-tests
linux-guest-tests: $(LINUX)/vmlinux $(LINUX)/initrd $(LINUX)/disk
	@$(PYTHON) tests/guests/linux.py
