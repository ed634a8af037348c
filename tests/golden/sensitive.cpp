// Prints docs/sensitive-instructions.md from the monitor's table (libos/vmm/instructions/sensitive.hpp).
#include <cstdio>
#include <string>

#include "libos/vmm/instructions/sensitive.hpp"

using namespace tessera::vmm;

namespace {

std::string behaviour(const SensitiveInstruction& entry) {
    const auto word = [](AtCpl3 what) -> std::string {
        switch (what) {
            case AtCpl3::silent: return "**runs**";
            case AtCpl3::gp: return "#GP";
            case AtCpl3::ud: return "#UD";
            case AtCpl3::ud_or_gp: return "#UD or #GP";
            case AtCpl3::db_or_ud: return "#DB";
            case AtCpl3::bp: return "#BP";
            case AtCpl3::exit: return "enters the kernel";
        }
        return "";
    };
    switch (entry.needs) {
        case Needs::nothing: return word(entry.at_cpl3);
        case Needs::umip: return word(entry.at_cpl3) + " with UMIP, else **runs**";
        case Needs::fsgsbase: case Needs::rdtscp: case Needs::rdpid: case Needs::invpcid: return word(entry.at_cpl3) + ", or #UD on a CPU without it";
    }
    return "";
}

const char* remedy(Remedy remedy) {
    switch (remedy) {
        case Remedy::trap: return "trap, emulate";
        case Remedy::replace: return "**replace**, emulate";
        case Remedy::exit: return "exit, emulate";
        case Remedy::hide: return "#UD";
        case Remedy::harmless: return "nothing";
    }
    return "";
}

}  // namespace

int main() {
    std::printf(
        "# Sensitive instructions\n\n"
        "Every instruction of 64-bit mode that shows or changes what a machine's owner decides about, what it does when ring 3\n"
        "executes it under Tessera, and what a monitor that runs a guest's kernel there does about it. This page is made from\n"
        "the table in libos/vmm/instructions/sensitive.cpp by `make golden-update`; `tests/system/sensitive.cpp` executes every\n"
        "entry in ring 3 and holds what happens against it.\n\n"
        "*Replace* means that the monitor must find the instruction before the guest's kernel gets there: a byte that traps is put\n"
        "in its place (rewrite.hpp), or the code around it is translated (translate.hpp). In the guest's user code nothing is\n"
        "replaced: what **runs** there shows or does what it does in any process of this machine.\n\n"
        "| instruction | in ring 3 | the monitor | why |\n| --- | --- | --- | --- |\n");
    for (const SensitiveInstruction& entry : sensitive_instructions())
        std::printf("| `%s` | %s | %s | %s |\n", entry.name, behaviour(entry).c_str(), remedy(entry.remedy), entry.why);
}
