// The 16550 as Linux's driver uses it, and what a guest can do to it otherwise.
#include <doctest/doctest.h>

#include <initializer_list>

#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

struct Serial {
    Pic pic{0};
    TestSink sink;
    Uart uart{InterruptLine(pic, 4), sink};

    Serial() {
        for (const u32 word : {0x11, 0x20, 4, 1, 0}) pic.write(word == 0x11 ? 0x20 : 0x21, 1, word);
    }
    u32 in(u16 which) { return uart.read(static_cast<u16>(0x3f8 + which), 1); }
    void out(u16 which, u32 value) { uart.write(static_cast<u16>(0x3f8 + which), 1, value); }
    bool interrupts() const { return pic.pending(); }
};

}  // namespace

TEST_CASE("vmm: a 16550 sends what is written, and is ready at once") {
    Serial serial;
    for (const char c : std::string("hello")) {
        CHECK((serial.in(5) & 0x60) == 0x60);
        serial.out(0, static_cast<u8>(c));
    }
    CHECK(serial.sink.text == "hello");
    serial.out(3, 0x83);  // the divisor is not text
    serial.out(0, 1);
    serial.out(1, 0);
    CHECK(serial.in(0) == 1);
    CHECK(serial.in(1) == 0);
    serial.out(3, 3);
    CHECK(serial.sink.text == "hello");
    serial.out(7, 0x5a);
    CHECK(serial.in(7) == 0x5a);
}

TEST_CASE("vmm: a 16550 tells once that it is empty, and each time that there is a byte") {
    Serial serial;
    serial.out(2, 0xc7);
    serial.out(1, 2);
    CHECK_FALSE(serial.interrupts());  // OUT 2 is off
    serial.out(4, 0xb);
    CHECK(serial.interrupts());
    CHECK(serial.in(2) == 0xc2);
    CHECK_FALSE(serial.interrupts());
    CHECK(serial.in(2) == 0xc1);
    serial.out(0, 'x');
    CHECK(serial.interrupts());
    serial.out(1, 1);
    CHECK_FALSE(serial.interrupts());

    CHECK(serial.uart.receive(bytes_of("ab")) == 2);
    CHECK(serial.interrupts());
    CHECK(serial.in(2) == 0xcc);  // below the trigger of 14
    CHECK((serial.in(5) & 1) == 1);
    CHECK(serial.in(0) == 'a');
    CHECK(serial.interrupts());
    CHECK(serial.in(0) == 'b');
    CHECK_FALSE(serial.interrupts());
    CHECK(serial.uart.receive(bytes_of("0123456789abcdefgh")) == 16);
    CHECK(serial.in(2) == 0xc4);
    CHECK(serial.uart.room() == 0);
    serial.out(2, 3);  // empties it
    CHECK(serial.uart.room() == 16);
    CHECK((serial.in(5) & 1) == 0);
}

TEST_CASE("vmm: a 16550 in loopback hears itself") {
    Serial serial;
    serial.out(4, 0x1a);  // what Linux looks for: RTS and OUT 2 come back as CTS and DCD
    CHECK((serial.in(6) & 0xf0) == 0x90);
    serial.out(2, 1);
    serial.out(0, 'x');
    CHECK(serial.sink.text.empty());
    CHECK(serial.in(0) == 'x');
    for (u32 i = 0; i < 17; ++i) serial.out(0, i);
    CHECK((serial.in(5) & 2) == 2);  // overrun, told once
    CHECK((serial.in(5) & 2) == 0);
    CHECK(serial.uart.receive(bytes_of("y")) == 0);
    serial.out(1, 0xf);
    CHECK_FALSE(serial.interrupts());
    serial.out(4, 8);
    CHECK(serial.interrupts());
}

TEST_CASE("vmm: bytes come out of a 16550 in the order in which they went in") {
    Serial serial;
    Random random(9);
    std::string in, out;
    bool fifo = false;
    for (u32 i = 0; i < 20'000; ++i) {
        if (random.one_in(500)) {
            serial.out(2, fifo = !fifo);  // switching the FIFO empties it
            out = in;
        } else if (random.one_in(2)) {
            const char c = static_cast<char>(random.next());
            if (serial.uart.receive(bytes_of({&c, 1})) == 1) in += c;
        } else if (serial.in(5) & 1) {
            out += static_cast<char>(serial.in(0));
        }
        REQUIRE(in.starts_with(out));
        REQUIRE(((serial.in(5) & 1) == 1) == (in.size() != out.size()));
    }
}
