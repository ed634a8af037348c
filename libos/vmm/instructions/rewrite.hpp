// Rewriting in place: a byte that traps instead of every sensitive instruction that would not.
//
// HLT is one byte and traps in ring 3, so whatever the instruction's length, only its first byte is changed: it
// always fits, a jump to behind a prefix still finds what it expects, and the rest shows what was there. The monitor gets
// a #GP at an address that the rewriter knows, puts the original byte back into what it fetched, and emulates that.
//
// Which bytes are instructions is not guessed. Scanning follows control flow from where the guest's kernel is entered,
// block by block; a linear scan would take data for code and change it. Where flow cannot be followed, it is made to:
// an indirect jump or call becomes a trap itself, and is taken by the monitor, which scans where it goes. Returns are
// trusted, as what a call leaves on the stack has been scanned with the call. So a kernel which *makes* a return
// address (a new thread's) must do so with one that was scanned already, or the monitor must scan it: wherever it puts the
// guest itself, by IDT, SYSCALL or IRET, it calls `scan` first, which costs one look if nothing is new.
//
// What this cannot do: code that overlaps itself, where the first byte of one instruction is in the middle of another, is
// spoilt. What it cannot hide: a guest that reads its own code sees the trapping bytes. A guest that writes to it is noticed,
// if the monitor write-protects the page of every site that it is told of: then `forget` puts the page back as it was, and it may
// be written, but not executed before it is scanned again. A page that keeps being both is one for the translator.
#pragma once

#include <span>

#include "libos/vmm/instructions/emulate.hpp"

namespace tessera::vmm {

inline constexpr u8 kTrappingByte = 0xf4;

/// The guest's kernel code, by guest-virtual address, as the monitor reaches it: past the guest's rights.
class CodeMemory {
  public:
    /// What is there for the guest's kernel to execute. False: nothing, or not all of it.
    virtual bool read(u64 address, u8* to, u64 length) = 0;
    /// A number for the byte at `address` that is the same by whichever address it is reached: the guest-physical one.
    /// Only for what read() gave.
    virtual u64 identity(u64 address) = 0;
    /// Change the byte. From then on the guest must not write to its page without the monitor knowing: `on_write`.
    virtual void patch(u64 address, u8 byte) = 0;

  protected:
    ~CodeMemory() = default;
};

/// One changed byte.
struct Site {
    u64 where;  ///< identity(); kNobody: free.
    u8 original;
    bool in_place;
    static constexpr u64 kNobody = ~u64{0};
};

/// What is known of one page of code: which bytes begin an instruction that was scanned.
struct ScannedPage {
    u64 page;  ///< identity() / 4096; Site::kNobody: free.
    u64 begins[kPageSize / 64];
    u64 inner[kPageSize / 64];  ///< Bytes of such instructions behind their first.
    u32 flips; ///< How often it was scanned, and then written to.
    u64 before;  ///< The page whose last instruction ends on this one, likewise.
};

class Rewriter {
  public:
    /// `sites` and `pages`: memory for that many, sizes powers of two. Both are hash tables: give twice what is needed.
    Rewriter(std::span<Site> sites, std::span<ScannedPage> pages);

    struct Scanned {
        u32 instructions = 0;  ///< That had not been scanned before.
        u32 replaced = 0;
        bool complete = true;  ///< False: memory ran out, or code overlaps itself where a byte is changed. The guest must not run on: translate, or give up.
    };
    /// The guest's kernel is about to be at `entry`. Follow its code from there and replace what must be.
    Scanned scan(CodeMemory& memory, u64 entry);

    /// Has an instruction that begins there been scanned? Then so has all that is reached from it.
    bool was_scanned(u64 identity) const;

    /// Bytes fetched from `address`, as the guest wrote them.
    void show_original(CodeMemory& memory, u64 address, u8* bytes, u64 length) const;
    /// Does a trap at this address come from a site?
    bool is_site(u64 identity) const { return find(identity) != nullptr; }

    /// The guest wants to write to the page that holds `address`: its bytes are put back and nothing is known of it any more.
    /// Returns how often that has happened to it.
    u32 forget(CodeMemory& memory, u64 address);
    /// The page with an instruction that ends in the page of this byte: who forgets the latter must forget it, too. Else kNobody. By identity().
    u64 page_before(u64 identity) const;
    /// The same as `forget` of all pages. `memory`: where the addresses are what identity() gave.
    void forget_all(CodeMemory& memory);

    /// How many bytes are changed at present.
    u64 sites() const { return in_place_; }

  private:
    Site* find(u64 where) const;
    bool add(u64 where, u8 original);
    ScannedPage* find_page(u64 identity) const;
    ScannedPage* page_of(u64 identity);
    bool replace(CodeMemory& memory, u64 address, u8 original);
    bool scan_block(CodeMemory& memory, u64 address, Scanned& result);
    bool later(u64 address);
    bool note_inner(CodeMemory& memory, u64 address, u64 length, u64 first_page);
    bool is_inner(u64 identity) const;

    std::span<Site> sites_;
    std::span<ScannedPage> pages_;
    u64 in_place_ = 0;
    // Targets that are still to be followed. When it is full, a branch is replaced itself, and followed when it is taken.
    static constexpr u32 kWaiting = 128;
    u64 waiting_[kWaiting];
    u32 waiting_count_ = 0;
};

/// A trap at cs:rip that may come from a site: emulate what was there. An indirect branch is taken, and its target
/// scanned. `code` and `machine.memory` are the same guest's.
struct RewrittenTrap {
    bool was_site;
    Emulated emulated;  ///< If it was one.
    bool complete;      ///< As Rewriter::Scanned::complete. Where it is not, what was there has been emulated all the same.
    Instruction in;     ///< What was there.
};
RewrittenTrap emulate_site(Rewriter& rewriter, CodeMemory& code, const VirtualMachine& machine);

}  // namespace tessera::vmm
