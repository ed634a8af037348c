// A server and its clients: procedures of another libOS, called as if they were functions. calculator.rpc says which.
//
// Arguments: role=server clients=N (ends when so many have said that they are done), or role=client rounds=N.
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/examples/calculator.rpc.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::rpc::calculator;

namespace {

class Calculator final : public Server {
  public:
    explicit Calculator(u64 clients) : clients_(clients) {}

    Result<u64> add(EnvId caller, u64 a, u64 b) override {
        ++calls_[caller.index() % kMaxEnvironments];
        return a + b;
    }
    Result<DivideResults> divide(EnvId, u64 dividend, u64 divisor) override {
        if (divisor == 0) return Error::bad_argument;
        return DivideResults{dividend / divisor, dividend % divisor};
    }
    Result<std::int32_t> sort(EnvId, std::span<const u8> data, Bytes<4096>& sorted) override {
        if (data.empty()) return Error::bad_argument;
        const std::span<u8> to = sorted.become(data.size());
        std::copy(data.begin(), data.end(), to.begin());
        std::sort(to.begin(), to.end());
        return std::int32_t{to[0]};
    }
    Outcome echo(EnvId, std::span<const u8> data, Bytes<256>& answered) override {
        return answered.assign(data) ? Outcome(Done{}) : Error::out_of_range;
    }
    Result<u64> calls_of_mine(EnvId caller) override { return calls_[caller.index() % kMaxEnvironments]; }
    Outcome stop(EnvId) override {
        if (--clients_ == 0) libos::exit(record("program", "calculator").ok() ? 0 : 1);
        return Done{};
    }

  private:
    u64 clients_;
    std::array<u64, kMaxEnvironments> calls_{};
};

int be_server() {
    static Calculator calculator(argument("clients", 1));
    use_shared_memory();
    const Outcome published = calculator.publish("calc");
    if (!published.ok()) {
        print("cannot publish: ", name_of(published.error()), "\n");
        return 1;
    }
    serve();
}

u64 wrong = 0;

void expect(bool right, const char* what) {
    if (right) return;
    ++wrong;
    print("WRONG ", what, "\n");
}

void call_all(Client& calculator, u64 round) {
    const auto sum = calculator.add(round, 7);
    expect(sum.ok() && sum.value() == round + 7, "add");
    const auto parts = calculator.divide(round * 10 + 3, 10);
    expect(parts.ok() && parts.value().quotient == round && parts.value().remainder == 3, "divide");
    expect(calculator.divide(1, 0).error() == Error::bad_argument, "divide by zero");

    static u8 data[4096];
    for (u64 i = 0; i < sizeof data; ++i) data[i] = static_cast<u8>((i * 7 + round) % 251 + 1);
    static Bytes<4096> sorted;
    const auto least = calculator.sort(data, sorted);
    std::sort(data, data + sizeof data);
    expect(least.ok() && least.value() == 1 && std::ranges::equal(sorted.view(), data), "sort");

    Bytes<256> echoed;
    const std::span<const u8> some(data, round % 257);
    expect(calculator.echo(some, echoed).ok() && std::ranges::equal(echoed.view(), some), "echo");
    expect(calculator.echo({data, 257}, echoed).error() == Error::out_of_range, "echo of too much");
}

int be_client() {
    const u64 rounds = argument("rounds", 100);
    static Client calculator;
    use_shared_memory();
    const Outcome opened = calculator.open("calculator", "calc");
    if (!opened.ok()) {
        print("cannot open: ", name_of(opened.error()), "\n");
        return 1;
    }
    for (u64 round = 0; round < rounds; ++round) call_all(calculator, round);
    const auto calls = calculator.calls_of_mine();
    expect(calls.ok() && calls.value() == rounds, "calls of mine");
    print(wrong == 0 ? "right: " : "WRONG: ", rounds, " rounds of calls\n");
    expect(calculator.stop().ok(), "stop");
    return wrong == 0 ? 0 : 1;
}

}  // namespace

int libos_main() { return argument("role") == "server" ? be_server() : be_client(); }
