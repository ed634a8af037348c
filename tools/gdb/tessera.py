"""gdb commands that show the kernel's tables; tools/gdb/init.gdb reads them. `help tessera` lists them.

    tessera environments              who lives, in which context, where it goes on
    tessera frames [ENVIRONMENT]      runs of frames by state and owner
    tessera stlb [CONTEXT]            live entries of an S-TLB (of the context in use)
    tessera capability EXPRESSION     what a capability, or a pointer to one, says
    tessera cpu                       what the CPU is doing
    tessera trace [COUNT]             the last events of its trace ring
"""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import printers  # noqa: E402  (gdb's Python knows this folder only now)
import tables  # noqa: E402


class Tessera(gdb.Command):
    """The kernel's tables: environments, frames, S-TLBs, capabilities, CPU, trace ring."""

    def __init__(self):
        super().__init__("tessera", gdb.COMMAND_DATA, prefix=True)


class _Command(gdb.Command):
    name = ""

    def __init__(self):
        super().__init__(f"tessera {self.name}", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        try:
            self.show(argument.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"the kernel has not made its tables yet ({error}): try `boot`, or go on further") from None

    def show(self, argument):
        raise NotImplementedError


def _index(argument):
    """A table index, of a number or of an id (whose index is in its low byte)."""
    return int(gdb.parse_and_eval(argument)) & 0xFF


class Environments(_Command):
    """tessera environments: index, name, state, context, how and where each goes on, frames, slots."""

    name = "environments"

    def show(self, argument):
        current = int(tables.cpu()["env"])
        print(f"{'':2}{'#':>2} {'id':>6} {'name':15} {'state':9} {'context':>7} {'frames':>7} {'slots':>5}  goes on")
        for index, env in tables.environments():
            info = env["info"].dereference()
            how = tables.enum_name(env["resume"])
            rip = int(env["frame"]["entry"]["rip"]) if how in ("full", "sleeping") else int(env["resume_rip"])
            running = int(env.address) == current
            where = "runs" if running else f"{how} at {rip:#x}"
            print(f"{'*' if running else ' ':2}{index:>2} {tables.number(env['id']):>6} {tables.text_of(info['name']):15} "
                  f"{tables.enum_name(info['state']):9} {int(info['context']) & 0xff:>7} {int(info['frames']):>7} "
                  f"{int(info['slots']):>5}  {where}")


class Frames(_Command):
    """tessera frames [ENVIRONMENT]: runs of frames that have the same state, owner and context."""

    name = "frames"

    def show(self, argument):
        table = tables.symbol("frames")
        names = tables.names()
        states = {field.enumval: tables.enum_name(field.name) for field in tables.type_of("FrameState", False).fields()}
        rows = tables.records(int(table["table_"]), int(table["count_"]), tables.type_of("FrameInfo", False),
                              ("state", "owner", "context"))
        only = _index(argument) if argument else None
        begin, last = 0, None

        def close(end):
            if last is None or (only is not None and last[1] & 0xFF != only):
                return
            state, owner, context = last
            whose = f" {names.get(owner, '?')} ({owner})" if owner else ""
            of = f" for context {context - 1}" if context else ""
            print(f"{begin:#8x} .. {end - 1:#8x}  {end - begin:>7}  {states.get(state, state)}{whose}{of}")

        end = 0
        for end, row in enumerate(rows):
            if row != last:
                close(end)
                begin, last = end, row
        close(end + 1)
        print(f"{int(table['free_'])} of {int(table['usable_'])} usable frames are free")


class StlbOf(_Command):
    """tessera stlb [CONTEXT]: the live bindings: page, frame, rights, accessed and dirty bits, whether the hardware has it."""

    name = "stlb"

    def show(self, argument):
        context = tables.context(_index(argument)) if argument else tables.current_context()
        stlb = context["stlb"]
        sets = (int(stlb["set_mask"]) + 1) * 4
        dead_slot = int(stlb["dead_slot"])
        print(f"context {tables.number(context['id']) & 0xff}: {int(stlb['mask']) + 1} entries, {sets} guaranteed, "
              f"{int(context['tables_used'])} of {int(context['table_count'])} tables in use")
        live = 0
        for where, base, count in (("", stlb["entries"], int(stlb["mask"]) + 1), ("guaranteed ", stlb["guaranteed"], sets)):
            for tag, pte, slot in tables.records(int(base), count, tables.type_of("StlbEntry", False), ("tag", "pte", "slot")):
                if tag & printers.DEAD_TAG:
                    continue
                live += 1
                held = slot != dead_slot and any(gdb.selected_inferior().read_memory(slot, 8).tobytes())
                print(f"  {where}{printers.binding(tag, pte)}{'' if held else ' (not in the hardware)'}")
        print(f"{live} live")


class CapabilityOf(_Command):
    """tessera capability EXPRESSION: what a capability, or what a pointer to one points at, says."""

    name = "capability"

    def show(self, argument):
        value = gdb.parse_and_eval(argument)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
            value = value.cast(tables.type_of("Capability", False).pointer()).dereference()
        print(printers.Capability(value).to_string())
        kinds = {1: "rights", 2: "range", 3: "presenter", 4: "expiry"}
        for place in range(min(int(value["caveats"]), 4)):
            caveat = value["caveat"][place]
            print(f"  caveat: {kinds.get(int(caveat['kind']), '?')} {int(caveat['a']):#x} {int(caveat['b']):#x}")


class CpuOf(_Command):
    """tessera cpu: who runs, in which context, slot and policy, and what a switch has to look after."""

    name = "cpu"

    def show(self, argument):
        here = tables.cpu(_index(argument) if argument else 0)
        env, context = here["env"], here["context"]
        who = tables.text_of(env["info"]["name"]) if int(env) else "nobody"
        where = tables.number(context["id"]) & 0xFF if int(context) else "none"
        flags = [name for bit, name in ((1, "in grace"), (2, "FPU live"), (4, "policy")) if int(here["attention"]) & bit]
        print(f"cpu {int(here['index'])}: {who} runs in context {where}, slot {int(here['slot'])}"
              f"{', ' + ', '.join(flags) if flags else ''}")
        log = here["log"]
        held = (int(log["next"]) - int(log["first"])) // 16
        policy = tables.enum_name(tables.symbol("information")["policy"])
        print(f"policy {policy}, {held} translations logged, slot ends at TSC {int(here['boundary'])}")


class TraceOf(_Command):
    """tessera trace [COUNT]: the last events (16) of the CPU's trace ring, oldest first."""

    name = "trace"

    def show(self, argument):
        wanted = int(argument) if argument else 16
        ring = tables.symbol("rings")[0]
        items, written = ring["items"], int(ring["written"])
        size = items.type.range()[1] + 1
        for place in range(max(0, written - min(wanted, size)), written):
            item = items[place % size]
            print(f"  {int(item['tsc']):>14} {tables.enum_name(item['event']):18} {int(item['a']):#x} {int(item['b']):#x}")
        print(f"{written} events in all")


Tessera()
for command in (Environments, Frames, StlbOf, CapabilityOf, CpuOf, TraceOf):
    command()
