// The capability's tag chain (see capability.hpp). Built with kernel flags, for libOSes and for the host.
#include "secure_bindings/capability.hpp"

// Only this header of libsodium's: it needs nothing but <stddef.h> and <limits.h>, so it is good freestanding.
#include <sodium/crypto_shorthash_siphash24.h>

// The state of SipHash can be run backwards to its key. libsodium keeps it in registers, and some of those
// still hold it when a call returns: functions that touch secrets clear them, so that no way out of the
// kernel can show them, and are not inlined, since it is the return that clears. (clang 14 does not know the
// attribute; the kernel is built with g++.)
#if __has_attribute(zero_call_used_regs)
#define CLEARS_REGISTERS __attribute__((noinline, zero_call_used_regs("all-gpr")))
#else
#define CLEARS_REGISTERS
#endif

namespace tessera {
namespace {

static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(Capability::tag));
static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof(Capability::tag));

const u8* bytes_of(const void* object) { return static_cast<const u8*>(object); }

/// A tag that must not stay on the stack.
struct SecretTag {
    u64 words[2];

    ~SecretTag() {
        // Safety: volatile stores are kept although nobody reads them; the barrier orders them before the return.
        volatile u64* word = words;
        word[0] = 0;
        word[1] = 0;
        asm volatile("" ::: "memory");
    }
    u8* bytes() { return reinterpret_cast<u8*>(words); }
};

void mac(u8* tag, const void* message, u64 size, const u8* key) {
    crypto_shorthash_siphashx24(tag, bytes_of(message), size, key);
}

/// MAC of what a root says, packed so that it is short. Every field has a place of its own, as `count` is below 2^24;
/// `caveats` and `zero` do not count (adding a caveat changes the first). Trailing words that are zero are left out:
/// SipHash covers the length, so that no two roots share a message.
///
///   63    40 39    32 31     8 7    0 | first | grant | 63    32 31     0 | page
///   |   0   | rights |  count | kind |       |       | context |presenter|
void mac_root(u8* tag, const Capability& root, const CapabilityKeys& keys) {
    const u64 message[5] = {static_cast<u64>(root.kind) | root.count << 8 | u64{root.rights} << 32, root.first, root.grant,
                            u64{root.context} << 32 | root.presenter, root.page};
    const u64 words = message[4] != 0 ? 5 : message[3] != 0 ? 4 : 3;
    mac(tag, message, words * sizeof(u64), keys.of(root.kind));
}

/// Does the packed message say all that the fields say, and is there a key for the kind?
bool packs(const Capability& root) {
    return root.zero == 0 && (root.rights & ~kAllRights.bits) == 0 && root.count <= kMaxCapabilityCount &&
           root.kind != ResourceKind::none && static_cast<u64>(root.kind) < kResourceKinds;
}

bool wraps(u64 first, u64 count) { return first + count < first; }

/// Apply a range caveat: what both have in common. False when that is nothing.
bool intersect(Effective& left, u64 first, u64 count) {
    const u64 begin = first > left.first ? first : left.first;
    const u64 end_of_caveat = first + count;
    const u64 end_of_left = left.first + left.count;
    const u64 end = end_of_caveat < end_of_left ? end_of_caveat : end_of_left;
    if (begin >= end) return false;
    if (left.kind == ResourceKind::tlb_entry) left.page += begin - left.first;
    left.first = begin;
    left.count = end - begin;
    return true;
}

/// Apply one caveat of a genuine capability. False when nothing is left for anybody.
bool apply(Effective& left, const Caveat& caveat) {
    switch (caveat.kind) {
        case CaveatKind::rights:
            left.rights = left.rights.restricted_to(Rights{static_cast<u32>(caveat.a)});
            return true;
        case CaveatKind::range:
            return intersect(left, caveat.a, caveat.b);
        case CaveatKind::presenter: {
            const EnvId only{caveat.a};
            if (left.presenter && left.presenter != only) return false;
            left.presenter = only;
            return true;
        }
        case CaveatKind::expiry:
            if (caveat.a < left.expiry) left.expiry = caveat.a;
            return true;
    }
    return false;
}

/// The tag that a canonical capability should carry, compared in constant time with the one it does. What it leaves in
/// registers is the caller's to clear.
inline bool genuine(const Capability& capability, const CapabilityKeys& keys) {
    SecretTag tag;
    mac_root(tag.bytes(), capability, keys);
    for (u64 i = 0; i < capability.caveats; ++i) {
        // libsodium reads all of the key before it writes the tag, so that one buffer serves for both.
        mac(tag.bytes(), &capability.caveat[i], sizeof(Caveat), tag.bytes());
    }
    return ((tag.words[0] ^ capability.tag[0]) | (tag.words[1] ^ capability.tag[1])) == 0;
}

}  // namespace

CLEARS_REGISTERS CapabilityKeys::CapabilityKeys(const BootKey& boot_key) : derived_(true) {
    for (u64 kind = 0; kind < kResourceKinds; ++kind) {
        // The label is 16 bytes, shorter than any message that a tag is made of: no tag is ever a key.
        const struct {
            char label[8];
            u64 kind;
        } message{{'T', 'e', 's', 's', 'e', 'r', 'a', '1'}, kind};
        mac(keys_[kind].bytes, &message, sizeof message, boot_key.bytes);
    }
}

CLEARS_REGISTERS void mint(Capability& root, const CapabilityKeys& keys) {
    SecretTag tag;
    mac_root(tag.bytes(), root, keys);
    root.tag[0] = tag.words[0];
    root.tag[1] = tag.words[1];
}

bool canonical(const Caveat& caveat) {
    switch (caveat.kind) {
        case CaveatKind::rights:
            return (caveat.a & ~u64{kAllRights.bits}) == 0 && caveat.b == 0;
        case CaveatKind::range:
            return caveat.b != 0 && !wraps(caveat.a, caveat.b);
        case CaveatKind::presenter:
            return caveat.a != 0 && caveat.a <= ~u32{0} && caveat.b == 0;
        case CaveatKind::expiry:
            return caveat.b == 0;
    }
    return false;
}

bool canonical(const Capability& capability) {
    if (!packs(capability) || capability.caveats > kMaxCaveats) return false;
    if (capability.count == 0 || wraps(capability.first, capability.count)) return false;
    if (capability.kind == ResourceKind::tlb_entry) {
        const u64 page = capability.page & ~kLargePage;
        if (capability.context == 0 || capability.count > kLargePage - page) return false;
    } else if (capability.context != 0 || capability.page != 0) {
        return false;
    }
    for (u64 i = 0; i < capability.caveats; ++i) {
        if (!canonical(capability.caveat[i])) return false;
    }
    return true;
}

// Hot: both fill in the caller's Result where it is. To return now one object and now another would make the
// compiler copy it twice: a third of the time that verifying takes.
CLEARS_REGISTERS Result<Effective> authenticate(const Capability& capability, const CapabilityKeys& keys) {
    Result<Effective> result{Effective{}};
    if (!keys.derived() || !canonical(capability) || !genuine(capability, keys)) {
        result = Error::bad_capability;
        return result;
    }
    Effective& left = result.value();
    left.kind = capability.kind;
    left.rights = Rights{capability.rights};
    left.first = capability.first;
    left.count = capability.count;
    left.grant = capability.grant;
    left.presenter = EnvId{capability.presenter};
    left.context = ContextId{capability.context};
    left.page = capability.page;
    for (u64 i = 0; i < capability.caveats; ++i) {
        if (apply(left, capability.caveat[i])) continue;
        result = Error::denied;
        return result;
    }
    return result;
}

bool genuine_root(const Capability& root, const CapabilityKeys& keys) {
    // Only what the packed message cannot tell apart is checked by itself; for the rest the tag speaks, as only
    // canonical roots are minted.
    if (!packs(root) || root.caveats != 0 || !keys.derived()) return false;
    return genuine(root, keys);
}

Result<Effective> verify(const Capability& capability, const CapabilityKeys& keys, EnvId presenter, u64 now) {
    Result<Effective> result = authenticate(capability, keys);
    if (result.ok() && !result.value().admits(presenter, now)) result = Error::denied;
    return result;
}

CLEARS_REGISTERS Result<Capability> attenuate(const Capability& capability, Caveat caveat) {
    if (capability.caveats > kMaxCaveats) return Error::bad_capability;
    if (capability.caveats == kMaxCaveats) return Error::quota;
    if (!canonical(caveat)) return Error::bad_argument;

    Capability narrowed;
    __builtin_memcpy(&narrowed, &capability, capability.size());
    narrowed.caveat[narrowed.caveats++] = caveat;
    mac(reinterpret_cast<u8*>(narrowed.tag), &caveat, sizeof caveat, bytes_of(capability.tag));
    return narrowed;
}

}  // namespace tessera
