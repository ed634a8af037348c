// What a libOS finds of the files that were given to it at boot: all of their bytes, to be read, and nothing else.
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

int libos_main() {
    u64 files = 0;
    for (const BootFile& file : boot().files) {
        if (file.name[0] == 0) break;
        ++files;
        const PageNumber page = fresh_pages(file.frames.count);
        const FrameNumber first{file.frames.first};
        const auto bind = [&](u64 count, Rights rights) {
            return answer_to<Bind>({address(file.frames), first, PageSpan::make(page, count, rights), {}, {}});
        };
        expect("writable", bind(1, Right::read | Right::write), Error::denied);
        expect("given back", answer_to<FrameRelease>({address(file.frames), first, 1}), Error::denied);
        expect("one page more", bind(file.frames.count + 1, Right::read), Error::out_of_range);
        expect("readable", bind(file.frames.count, Right::read), Error::ok);
        const u8* bytes = reinterpret_cast<const u8*>(address_of(page).value);
        u64 sum = 0;
        for (u64 i = 0; i < file.bytes; ++i) sum = sum * 31 + bytes[i];
        u64 behind = 0;
        for (u64 i = file.bytes; i < file.frames.count * kPageSize; ++i) behind |= bytes[i];
        expect_true("zero behind its end", behind == 0, behind);
        expect_true("how it begins", __builtin_memcmp(bytes, "# Tessera", 9) == 0, bytes[0]);
        print("file ", file.name, ": ", file.bytes, " bytes, sum ", sum, "\n");
    }
    print("files: ", files, "\n");
    expect_true("as many as were given", files == argument("files", 0), files);
    return verdict("files");
}
