// A libOS that executes what ring 3 must not: every privileged instruction, every `int n`, I/O, the kernel's
// selectors and addresses, broken `iretq` frames, odd flags and segment bases before system calls. Each attempt is a
// few bytes of machine code, called; it must come back as the one exception that the manual names, or not at all.
#include "tests/system/attempt.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

void faults(const char* what, u64 vector, Bytes bytes, u64 argument = 0, u64 error = kNothing) {
    run(bytes, argument);
    ++attempts;
    if (seen.vector == vector && (error == kNothing || seen.error == error)) return;
    ++wrong;
    print("WRONG ", what, " ", hex(argument), ": vector ", seen.vector == kNothing ? u64{999} : seen.vector, " error ", hex(seen.error),
          ", expected ", vector, "\n");
}

/// Where CPUs and emulators differ on which exception, or on whether there is one.
void one_of(const char* what, std::initializer_list<u64> vectors, Bytes bytes, u64 argument = 0) {
    run(bytes, argument);
    bool right = false;
    for (const u64 vector : vectors) right |= seen.vector == vector;
    expect_true(what, right, seen.vector);
}

void passes(const char* what, Bytes bytes, u64 argument = 0) { faults(what, kNothing, bytes, argument); }

void privileged() {
    constexpr u64 gp = 13, ud = 6;
    faults("hlt", gp, {0xf4});
    faults("cli", gp, {0xfa});
    faults("sti", gp, {0xfb});
    faults("in al, imm", gp, {0xe4, 0x60});
    faults("out imm, al", gp, {0xe6, 0xf4});
    faults("in dx", gp, {0x66, 0xba, 0xf8, 0x03, 0xec});
    faults("out dx (debug exit)", gp, {0x66, 0xba, 0xf4, 0x00, 0xee});
    faults("insb", gp, {0x66, 0xba, 0xf8, 0x03, 0x48, 0x89, 0xf7, 0x6c});
    faults("outsb", gp, {0x66, 0xba, 0xf8, 0x03, 0x6e});
    faults("lgdt", gp, {0x0f, 0x01, 0x16});
    faults("lidt", gp, {0x0f, 0x01, 0x1e});
    faults("lldt", gp, {0x0f, 0x00, 0xd0});
    faults("ltr", gp, {0x0f, 0x00, 0xd8});
    faults("sgdt", gp, {0x0f, 0x01, 0x06});
    faults("sidt", gp, {0x0f, 0x01, 0x0e});
    faults("sldt", gp, {0x0f, 0x00, 0xc0});
    faults("str", gp, {0x0f, 0x00, 0xc8});
    faults("smsw", gp, {0x0f, 0x01, 0xe0});
    faults("lmsw", gp, {0x0f, 0x01, 0xf0});
    faults("clts", gp, {0x0f, 0x06});
    faults("invd", gp, {0x0f, 0x08});
    faults("wbinvd", gp, {0x0f, 0x09});
    faults("invlpg", gp, {0x0f, 0x01, 0x3e});
    for (const int which : {0xc0, 0xd0, 0xd8, 0xe0}) {  // cr0, cr2, cr3, cr4
        faults("mov from cr", gp, {0x0f, 0x20, which}, static_cast<u64>(which));
        faults("mov to cr", gp, {0x0f, 0x22, which}, static_cast<u64>(which));
    }
    faults("mov from cr8", gp, {0x44, 0x0f, 0x20, 0xc0});
    faults("mov to cr8", gp, {0x44, 0x0f, 0x22, 0xc0});
    faults("mov from dr7", gp, {0x0f, 0x21, 0xf8});
    faults("mov to dr7", gp, {0x0f, 0x23, 0xf8});
    faults("rdmsr efer", gp, {0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32});
    faults("wrmsr lstar", gp, {0xb9, 0x82, 0x00, 0x00, 0xc0, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x30});
    faults("rdpmc", gp, {0x31, 0xc9, 0x0f, 0x33});
    faults("swapgs", gp, {0x0f, 0x01, 0xf8});
    faults("sysret", gp, {0x48, 0x0f, 0x07});
    one_of("sysexit", {gp, ud}, {0x48, 0x0f, 0x35});
    one_of("sysenter", {gp, ud}, {0x0f, 0x34});
    faults("rsm", ud, {0x0f, 0xaa});
    faults("ud2", ud, {0x0f, 0x0b});
    faults("vmcall", ud, {0x0f, 0x01, 0xc1});
    one_of("vmrun", {gp, ud}, {0x0f, 0x01, 0xd8});  // #GP where SVM is on
    faults("vmmcall", ud, {0x0f, 0x01, 0xd9});
    faults("monitor", ud, {0x48, 0x89, 0xf0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xc8});
    faults("xsetbv", ud, {0x31, 0xc9, 0x0f, 0x01, 0xd1});
    faults("xgetbv", ud, {0x31, 0xc9, 0x0f, 0x01, 0xd0});
    faults("into", ud, {0xce});
    faults("call far 32", ud, {0x9a, 0, 0, 0, 0, 8, 0});
    one_of("icebp", {1, ud}, {0xf1});
    faults("int3", 3, {0xcc});
    faults("lock nop", ud, {0xf0, 0x90});
    faults("an instruction of 16 bytes", gp, {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90});
}

void interrupts() {
    for (int n = 0; n < 256; ++n) {
        const bool open = n == 3 || n == 4;
        faults("int n", open ? static_cast<u64>(n) : 13, {0xcd, n}, static_cast<u64>(n));
        // The gate's index and the bit for the IDT. (QEMU up to 7.2 counts gates of 16 bytes in units of 8.)
        if (!open) expect_true("says which", seen.error == (u64(n) << 3 | 2) || seen.error == (u64(n) << 4 | 2), seen.error);
    }
}

void computed() {
    faults("divide by zero", 0, {0x31, 0xc9, 0x31, 0xd2, 0x48, 0xf7, 0xf1});
    faults("divide overflow", 0, {0x48, 0xc7, 0xc2, 2, 0, 0, 0, 0x48, 0xc7, 0xc1, 1, 0, 0, 0, 0x48, 0xf7, 0xf1});
    faults("idiv of the smallest", 0, {0x48, 0x89, 0xf8, 0x48, 0x99, 0x48, 0xc7, 0xc1, 0xff, 0xff, 0xff, 0xff, 0x48, 0xf7, 0xf9}, u64{1} << 63);
    u32* words = reinterpret_cast<u32*>(data.bytes());
    words[0] = 0x10000;  // MXCSR with reserved bits
    one_of("ldmxcsr, reserved bits", {13, kNothing}, {0x0f, 0xae, 0x16});
    for (u64 i = 0; i < 128; ++i) words[i] = 0;
    words[6] = 0xffff0000;
    one_of("fxrstor, reserved MXCSR", {13, kNothing}, {0x48, 0x0f, 0xae, 0x0e});
    faults("fxsave, misaligned", 13, {0x48, 0x0f, 0xae, 0x46, 0x08});
    faults("movaps, misaligned", 13, {0x0f, 0x28, 0x46, 0x08});
    words[0] = 0x1f80 & ~0x200u;  // divide by zero unmasked
    words[1] = 0x1f80;
    one_of("SIMD divide by zero", {19, kNothing}, {0x0f, 0xae, 0x16, 0x0f, 0x57, 0xc0, 0x0f, 0x57, 0xc9, 0xb8, 1, 0, 0, 0, 0xf3, 0x0f, 0x2a, 0xc8, 0xf3, 0x0f, 0x5e, 0xc8});
    passes("MXCSR as it was", {0x0f, 0xae, 0x56, 0x04});
    words[0] = 0x37f & ~4;  // x87 divide by zero unmasked: 1 / 0, then fwait
    faults("x87 divide by zero", 16, {0xdb, 0xe3, 0xd9, 0x2e, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x9b});
    passes("fninit", {0xdb, 0xe3});
    passes("AC and an unaligned load", {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d, 0x48, 0x8b, 0x46, 0x01});
}

/// Addresses that are not the libOS's.
void addresses() {
    const u64 p = 1, w = 2, u = 4, f = 16;
    const u64 kernel[] = {0xffff'8000'0000'0000, 0xffff'8000'0020'0000, 0xffff'ffff'8020'0000, 0xffff'ffff'ffff'fff8, 0xffff'c000'0000'0000};
    for (const u64 address : kernel) {
        faults("read the kernel", 14, {0x48, 0x8b, 0x07}, address);
        expect_true("as a user", (seen.error & (u | w)) == u && seen.address == address, seen.error);
        faults("write the kernel", 14, {0x48, 0x89, 0x07}, address);
        expect_true("as a user", (seen.error & (u | w)) == (u | w) && seen.address == address, seen.error);
        faults("jump into the kernel", 14, {0xff, 0xe7}, address);
        expect_true("as a user", (seen.error & (u | f)) == (u | f) && seen.address == address, seen.error);
    }
    for (const u64 address : {u64{0x0000'8000'0000'0000}, u64{0x7fff'ffff'ffff'fff8}, u64{0x8000'0000'0000'0000}, u64{0xffff'7fff'ffff'fff8}}) {
        faults("read, not canonical", 13, {0x48, 0x8b, 0x07}, address);
        faults("write, not canonical", 13, {0x48, 0x89, 0x07}, address);
        faults("jump, not canonical", 13, {0xff, 0xe7}, address);
        faults("return, not canonical", 13, {0x57, 0xc3}, address);
        one_of("push, not canonical", {12, 13}, {0x48, 0x89, 0xfc, 0x50}, address + 8);
    }
    const u64 tables[] = {kInformation, kInformation + kFrameTableOffset, kInformation + kEnvironmentTableOffset, kInformation + kSlotTableOffset};
    for (const u64 address : tables) {
        passes("read the information", {0x48, 0x8b, 0x07}, address);
        faults("write the information", 14, {0x48, 0x89, 0x07}, address, p | w | u);
        faults("lock or the information", 14, {0xf0, 0x48, 0x83, 0x0f, 0x00}, address, p | w | u);
        faults("run the information", 14, {0xff, 0xe7}, address, p | u | f);
    }
    const u8* behind = reinterpret_cast<const u8*>(kInformation);
    u64 sum = 0;
    for (u64 i = sizeof(Information); i < kPageSize; ++i) sum += behind[i];
    expect_true("nothing stands behind the information", sum == 0, sum);
    faults("behind the information", 14, {0x48, 0x8b, 0x07}, kInformation + kPageSize, u);
    faults("behind the environments", 14, {0x48, 0x8b, 0x07}, kInformation + kEnvironmentTableOffset + kMaxEnvironments * sizeof(EnvironmentInfo), u);
    faults("behind the slots", 14, {0x48, 0x8b, 0x07}, kInformation + kSlotTableOffset + kMaxCpus * kSlotsPerCpu * sizeof(SlotInfo), u);
    faults("write the boot information", 14, {0x48, 0x89, 0x07}, kBootInfoAddress, p | w | u);
    faults("run data", 14, {0xff, 0xe6}, 0, p | u | f);
}

/// Selectors: the kernel's, the TSS's, none.
void selectors() {
    for (const u64 selector : {u64{0x08}, u64{0x10}, u64{0x28}, u64{0x2b}, u64{0x30}, u64{0x38}, u64{0x3b}, u64{0xfff8}, u64{0xfffb}, u64{0x04}, u64{0x0c}}) {
        faults("mov ds", 13, {0x8e, 0xdf}, selector);
        faults("mov es", 13, {0x8e, 0xc7}, selector);
        faults("mov fs", 13, {0x8e, 0xe7}, selector);
        faults("mov gs", 13, {0x8e, 0xef}, selector);
        faults("mov ss", 13, {0x8e, 0xd7}, selector);
        faults("retf", 13, {0x57, 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0x50, 0x48, 0xcb}, selector);
    }
    faults("mov ss, null", 13, {0x8e, 0xd7}, 0);
    passes("mov ds, null", {0x8e, 0xdf}, 0);
    passes("mov ds, user", {0x8e, 0xdf}, 0x1b);
    // jmp far *(rsi), with the selector behind a 64-bit offset
    u64* words = data.words();
    for (const u64 selector : {u64{0x08}, u64{0x10}, u64{0x28}, u64{0x1b}, u64{0x30}, u64{0}}) {
        words[0] = reinterpret_cast<u64>(attempt_over), words[1] = selector;
        faults("jmp far", 13, {0x48, 0xff, 0x2e}, selector);
        faults("call far", 13, {0x48, 0xff, 0x1e}, selector);
    }
    // iretq: rip, cs, rflags, rsp, ss at rsi
    const auto frame = [&](u64 rip, u64 cs, u64 flags, u64 rsp, u64 ss) {
        words[0] = rip, words[1] = cs, words[2] = flags, words[3] = rsp, words[4] = ss;
    };
    const u64 over = reinterpret_cast<u64>(attempt_over), top = data.at(kPageSize - 64).value;
    const Bytes iretq = {0x48, 0x89, 0xf4, 0x48, 0xcf};
    for (const u64 cs : {u64{0}, u64{0x08}, u64{0x10}, u64{0x1b}, u64{0x20}, u64{0x28}, u64{0x30}, u64{0xfffb}}) {
        frame(over, cs, 0x202, top, 0x1b);
        faults("iretq, cs", 13, iretq, cs);
    }
    for (const u64 ss : {u64{0}, u64{0x10}, u64{0x18}, u64{0x23}, u64{0x28}, u64{0xfffb}}) {
        frame(over, 0x23, 0x202, top, ss);
        faults("iretq, ss", 13, iretq, ss);
    }
    frame(over, 0x23, 0x202 | 0x20000 | 0x3000, top, 0x1b);  // VM, IOPL: ignored
    passes("iretq, VM and IOPL", iretq);
    faults("and no I/O after it", 13, {0xe4, 0x60});
    frame(u64{1} << 47, 0x23, 0x202, top, 0x1b);
    faults("iretq to nowhere", 13, iretq);
    frame(0xffff'ffff'8020'0000, 0x23, 0x202, top, 0x1b);
    faults("iretq into the kernel", 14, iretq);
    faults("iretq with NT", 13, {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0x40, 0, 0, 0x9d, 0x48, 0x89, 0xf4, 0x48, 0xcf});
}

/// There is no LDT: page zero, which a libOS can bind, must not be taken for one.
void local_descriptors() {
    Memory zero;
    if (!take(zero, 1)) exit(3);
    zero.page = PageNumber{0};
    expect("bind page zero", bind_all(zero), Error::ok);
    volatile u64* table = zero.words();  // that the compiler takes a null pointer for
    asm("" : "+r"(table));
    table[0] = 0x0000'ec00'0008'0000 | (0x20'0000 & 0xffff) | (u64{0x20'0000 >> 16} << 48);  // a call gate to ring 0
    table[1] = 0xffff'ffff;
    table[2] = 0x0000'f200'0000'0000;  // data for ring 3
    faults("mov ds from a table of my own", 13, {0x8e, 0xdf}, 0x17);
    faults("mov ss from a table of my own", 13, {0x8e, 0xd7}, 0x17);
    u64* words = data.words();
    words[0] = 0, words[1] = 0x07;
    faults("call through a gate of my own", 13, {0x48, 0xff, 0x1e}, 0x07);
    expect("unbind page zero", unbind_all(zero), Error::ok);
}

/// What the kernel must not trust when it is entered: flags, stack, segment bases, single steps.
void entries() {
    // or [rsp], flags; popf; null call; and a check of a capability: rax = 20, rdi kept
    const u64 capability = data.at(1024).value;
    *reinterpret_cast<Capability*>(data.bytes() + 1024) = code.capability;
    const Bytes flags[] = {
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0x00, 0x30, 0, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00},  // IOPL
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0x00, 0x40, 0, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00},  // NT
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00},        // AC
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 4, 0, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00, 0xfc},  // DF
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00},        // TF
        {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0x75, 0x27, 0, 0x9d, 0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x00}, // all
    };
    for (const Bytes& bytes : flags) {
        data.words()[0] = 77;
        passes("flags before a call", bytes, capability);
        expect_true("the call is made as ever", data.words()[0] == 0, data.words()[0]);
    }
    passes("TF over syscall", {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0x31, 0xc0, 0x0f, 0x05, 0x90});
    expect_true("single steps were taken", seen.steps >= 2, seen.steps);
    faults("TF over int3", 3, {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0xcc});
    faults("TF over int 0x80", 13, {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0xcd, 0x80});
    faults("TF over a fault", 14, {0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x48, 0x8b, 0x07}, 0xffff'8000'0000'0000);
    faults("mov ss, int3", 3, {0x66, 0x8c, 0xd0, 0x8e, 0xd0, 0xcc});
    faults("TF, mov ss, int3", 3, {0x66, 0x8c, 0xd0, 0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x8e, 0xd0, 0xcc});
    passes("TF, mov ss, syscall", {0x66, 0x8c, 0xd1, 0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x31, 0xc0, 0x8e, 0xd1, 0x0f, 0x05});
    // mov r12, rsp; mov rsp, rdi; null call; a page fault's worth of work is the kernel's, not the stack's; mov rsp, r12
    for (const u64 stack : {u64{0}, u64{1}, u64{0x0000'8000'0000'0000}, u64{0xffff'8000'0000'0000}, u64{0xffff'ffff'8030'0000}, ~u64{0}}) {
        passes("syscall with a wild stack", {0x49, 0x89, 0xe4, 0x48, 0x89, 0xfc, 0x31, 0xc0, 0x0f, 0x05, 0x4c, 0x89, 0xe4}, stack);
        faults("int3 with a wild stack", 3, {0x48, 0x89, 0xfc, 0xcc}, stack);
        faults("a fault with a wild stack", 14, {0x48, 0x89, 0xfc, 0x48, 0x31, 0xc0, 0x48, 0x8b, 0x00}, stack);
        // yield to nobody else: rax = 4, rdi = 0
        passes("yield with a wild stack", {0x49, 0x89, 0xe4, 0x48, 0x89, 0xfc, 0x31, 0xff, 0xb8, 4, 0, 0, 0, 0x0f, 0x05, 0x4c, 0x89, 0xe4}, stack);
    }
    for (const u64 base : {u64{1}, u64{0x0000'7fff'ffff'ffff}, u64{0xffff'8000'0000'0000}, u64{0xffff'ffff'8030'0000}, ~u64{0}}) {
        // wrfsbase rdi; wrgsbase rdi; null call; capability check of rsi + 1024; rdgsbase rax; store
        passes("odd segment bases", {0xf3, 0x48, 0x0f, 0xae, 0xd7, 0xf3, 0x48, 0x0f, 0xae, 0xdf, 0x31, 0xc0, 0x0f, 0x05, 0x48, 0x8d, 0xbe, 0, 4, 0, 0,
                                      0x49, 0x89, 0xf5, 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x49, 0x89, 0x45, 0x08, 0xf3, 0x48, 0x0f, 0xae, 0xc8, 0x49, 0x89, 0x45, 0x10}, base);
        expect_true("the call is made as ever", data.words()[1] == 0, data.words()[1]);
        expect_true("the base is still mine", data.words()[2] == base, data.words()[2]);
        faults("int3 with odd segment bases", 3, {0xcc});
    }
    one_of("wrgsbase, not canonical", {13, kNothing}, {0xf3, 0x48, 0x0f, 0xae, 0xdf}, u64{1} << 47);
    passes("segment bases back", {0xf3, 0x48, 0x0f, 0xae, 0xd7, 0xf3, 0x48, 0x0f, 0xae, 0xdf}, 0);
    // A system call as the last two bytes that a libOS can bind: back to the information pages, which do not execute.
    Capability capability_at = code.capability;
    const PageSpan last = PageSpan::make(PageNumber{kUserPages - 1}, 1, Right::read | Right::execute).with(SpanFlag::guaranteed);
    expect("bind the last page", answer_to<Bind>({address(capability_at), code.frame, last, {}, {}}), Error::ok);
    code.bytes()[kPageSize - 2] = 0x0f, code.bytes()[kPageSize - 1] = 0x05;
    faults("a call at the very end", 14, {0x31, 0xc0, 0xff, 0xe7}, (kUserPages << kPageShift) - 2);
    expect_true("goes on behind it", seen.address == kInformation, seen.address);
}

}  // namespace

int libos_main() {
    if (!prepare_attempts()) return 3;
    privileged();
    interrupts();
    computed();
    addresses();
    selectors();
    local_descriptors();
    entries();
    return verdict("instructions");
}
