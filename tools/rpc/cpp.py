"""Writes the C++ of an interface: a client whose functions are the procedures, and a server that has them to be filled in.

The generated code only says what goes where; how it goes there, and every check, is in libos/rpc/.
"""

from .language import SCALARS

def cpp_type(parameter):
    return f"libos::Bytes<{parameter.most}>" if parameter.is_bytes else SCALARS[parameter.kind]


def scalars(parameters):
    return [one for one in parameters if not one.is_bytes]


def result_struct(procedure):
    return "".join(part.capitalize() for part in procedure.name.split("_")) + "Results"


def value_type(procedure):
    """What the function answers: nothing, the one scalar, or a structure of them."""
    values = scalars(procedure.results)
    if not values:
        return "Done"
    return SCALARS[values[0].kind] if len(values) == 1 else result_struct(procedure)


def return_type(procedure):
    value = value_type(procedure)
    return "Outcome" if value == "Done" else f"Result<{value}>"


def signature(procedure, first=()):
    """Its parameters: arguments in order, then the results that are bytes."""
    parts = list(first)
    for one in procedure.arguments:
        parts.append(f"{'std::span<const u8>' if one.is_bytes else SCALARS[one.kind]} {one.name}")
    parts += [f"{cpp_type(one)}& {one.name}" for one in procedure.results if one.is_bytes]
    return ", ".join(parts)


def window_offset(interface, procedure, parameters, wanted):
    base = interface.request_size if parameters is procedure.results else 0
    return base + next(offset for one, offset in procedure.bytes_of(parameters) if one is wanted)


def client_function(interface, procedure):
    lines = [f"    {return_type(procedure)} {procedure.name}({signature(procedure)}) {{"]
    if procedure.size_of(procedure.arguments + procedure.results):
        lines.append("        libos::NoPreemption guard;  // one window")
    lines.append(f"        libos::Message message = request({procedure.number});")
    for word, one in enumerate(procedure.arguments, 1):
        if one.is_bytes:
            offset = window_offset(interface, procedure, procedure.arguments, one)
            lines.append(f"        TRY(put(message.word[{word}], {one.name}, {one.most}, {offset}));")
        else:
            lines.append(f"        message.word[{word}] = libos::to_word({one.name});")
    if procedure.oneway:
        return lines + ["        return send(message);", "    }"]
    lines.append("        TRY(transfer(message));")
    for word, one in enumerate(procedure.results, 1):
        if one.is_bytes:
            offset = window_offset(interface, procedure, procedure.results, one)
            lines.append(f"        TRY(get({one.name}, message.word[{word}], {offset}));")
    values = [f"TRY(libos::from_word<{SCALARS[one.kind]}>(message.word[{word}]))"
              for word, one in enumerate(procedure.results, 1) if not one.is_bytes]
    answer = ", ".join(values)
    return lines + [f"        return {answer if len(values) == 1 else f'{value_type(procedure)}{{{answer}}}'};", "    }"]


def server_case(interface, procedure):
    lines = [f"            case {procedure.number}: {{"]
    passed = ["call.caller()"]
    for word, one in enumerate(procedure.arguments, 1):
        if one.is_bytes:
            offset = window_offset(interface, procedure, procedure.arguments, one)
            lines += [f"                {cpp_type(one)} {one.name};", f"                TRY(call.get({one.name}, {word}, {offset}));"]
            passed.append(f"{one.name}.view()")
        else:
            lines.append(f"                const auto {one.name} = TRY(call.scalar<{SCALARS[one.kind]}>({word}));")
            passed.append(one.name)
    for one in procedure.results:
        if one.is_bytes:
            lines.append(f"                {cpp_type(one)} {one.name};")
            passed.append(one.name)
    values = scalars(procedure.results)
    call = f"TRY({procedure.name}({', '.join(passed)}));"
    lines.append(f"                {'const auto result = ' if values else ''}{call}")
    for word, one in enumerate(procedure.results, 1):
        if one.is_bytes:
            offset = window_offset(interface, procedure, procedure.results, one)
            lines.append(f"                TRY(call.put({one.name}, {word}, {offset}));")
        else:
            value = "result" if len(values) == 1 else f"result.{one.name}"
            lines.append(f"                call.answer({word}, libos::to_word({value}));")
    return lines + ["                return Done{};", "            }"]


def generate(interface, source):
    """The header for `interface`, which was read from the file that is called `source` in the repository."""
    lines = [f"// Made by tools/rpc from {source}: change that.", "#pragma once", "",
             '#include "libos/rpc/client.hpp"', '#include "libos/rpc/server.hpp"', "",
             f"namespace tessera::rpc::{interface.name} {{", "",
             f"inline constexpr libos::Interface kInterface{{{interface.number:#x}, {interface.version}, "
             f"{interface.request_size}, {interface.answer_size}}};", ""]
    for procedure in interface.procedures:
        values = scalars(procedure.results)
        if len(values) > 1:
            members = "".join(f" {SCALARS[one.kind]} {one.name};" for one in values)
            lines += [f"struct {result_struct(procedure)} {{{members} }};", ""]
    lines += ["class Client : public libos::RpcClient {", "  public:", "    constexpr Client() : RpcClient(kInterface) {}", ""]
    for procedure in interface.procedures:
        lines += [*client_function(interface, procedure), ""]
    lines[-1:] = ["};", "", "class Server : public libos::RpcServer {", "  public:",
              "    constexpr Server() : RpcServer(kInterface) {}", ""]
    for procedure in interface.procedures:
        lines.append(f"    virtual {return_type(procedure)} {procedure.name}({signature(procedure, ['EnvId caller'])}) = 0;")
    lines += ["", "  private:", "    Outcome dispatch(u64 procedure, libos::RpcCall& call) final {", "        switch (procedure) {"]
    for procedure in interface.procedures:
        lines += server_case(interface, procedure)
    lines += ["            default: return Error::unknown_call;", "        }", "    }", "};", "",
              f"}}  // namespace tessera::rpc::{interface.name}", ""]
    return "\n".join(lines)
