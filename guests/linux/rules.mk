# The image of a Linux guest: Debian's kernel and a small userland, from Debian's packages, which apt downloads once.
#
#   build/guests/linux/vmlinux    the kernel's ELF file, as it is in Debian's bzImage (vmlinuz beside it)
#   build/guests/linux/initrd     its first file system

LINUX := build/guests/linux

$(LINUX)/packages.json: guests/linux/packages.py guests/linux/modules.py
	$(call step,APT,$(LINUX)/packages)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) guests/linux/packages.py $(@D)
	$(Q)touch $@

$(LINUX)/vmlinux: $(LINUX)/packages.json guests/linux/extract.py
	$(call step,XTRACT,$@)
	$(Q)$(PYTHON) guests/linux/extract.py $(LINUX)/unpacked/vmlinuz $@

$(LINUX)/initrd: $(LINUX)/packages.json $(wildcard guests/linux/*.py) $(shell find guests/linux/userland -type f)
	$(call step,CPIO,$@)
	$(Q)$(PYTHON) guests/linux/initramfs.py $(LINUX)/unpacked $@

## linux-guest-image: Debian's kernel and busybox, downloaded by apt, made into what a guest boots
.PHONY: linux-guest-image
linux-guest-image: $(LINUX)/vmlinux $(LINUX)/initrd
	@$(PYTHON) guests/linux/describe.py $(LINUX) build/results/linux-guest.json

TEST_FILES   += $(LINUX)/vmlinux $(LINUX)/initrd
TEST_TARGETS += linux-guest-tests

## linux-guest-tests: that image, booted by QEMU alone
.PHONY: linux-guest-tests
linux-guest-tests: $(LINUX)/vmlinux $(LINUX)/initrd
	@$(PYTHON) tests/guests/linux.py
