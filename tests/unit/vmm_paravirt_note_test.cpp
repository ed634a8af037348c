// The note by which an image says that it is a paravirtual kernel: found where it is, and nothing else taken for it.
#include <doctest/doctest.h>

#include <elf.h>

#include <cstring>
#include <vector>

#include "libos/vmm/paravirt/note.hpp"
#include "tests/unit/random.hpp"

using namespace tessera::vmm::paravirt;
using tessera::test::Random;

namespace {

struct Image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Nhdr other;
    char other_name[4];
    Elf64_Nhdr note;
    char name[8];
    u32 version;
};

Image good_image() {
    Image image{};
    std::memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_phentsize = sizeof(Elf64_Phdr), image.header.e_phnum = 1, image.header.e_phoff = offsetof(Image, segment);
    image.segment.p_type = PT_NOTE, image.segment.p_offset = offsetof(Image, other);
    image.segment.p_filesz = offsetof(Image, version) + sizeof(u32) - offsetof(Image, other);
    image.other = {3, 0, 7};
    std::memcpy(image.other_name, "GN", 3);
    image.note = {sizeof kNoteName, sizeof(u32), kNoteType};
    std::memcpy(image.name, kNoteName, sizeof kNoteName);
    image.version = kVersion;
    return image;
}

bool found(const Image& image) { return has_note(std::as_bytes(std::span(&image, 1))); }

}  // namespace

TEST_CASE("paravirt note: found behind another, and only as it should be") {
    CHECK(found(good_image()));
    Image image = good_image();
    image.version = kVersion + 1;
    CHECK_FALSE(found(image));
    (image = good_image()).name[0] = 'X';
    CHECK_FALSE(found(image));
    (image = good_image()).note.n_type = kNoteType + 1;
    CHECK_FALSE(found(image));
    (image = good_image()).segment.p_type = PT_LOAD;
    CHECK_FALSE(found(image));
    (image = good_image()).other.n_namesz = ~u32{0};
    CHECK_FALSE(found(image));
    (image = good_image()).segment.p_offset = ~u64{0};
    CHECK_FALSE(found(image));
    (image = good_image()).header.e_phoff = ~u64{0};
    CHECK_FALSE(found(image));
}

TEST_CASE("paravirt note: any bytes may be asked about") {
    const Image good = good_image();
    const auto bytes = std::as_bytes(std::span(&good, 1));
    for (u64 length = 0; length < offsetof(Image, version) + sizeof(u32); ++length) {
        const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<long>(length));
        CHECK_FALSE(has_note(part));
    }
    Random random(3);
    u64 still = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::byte> spoilt(bytes.begin(), bytes.end());
        for (u64 i = random.below(6); i > 0; --i) spoilt[random.below(spoilt.size())] = static_cast<std::byte>(random.next());
        still += has_note(spoilt);
    }
    CHECK(still > 1000);  // Those that were hit where it does not matter.
    CHECK(still < 20'000);
}
