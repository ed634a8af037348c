// The test program: doctest's own runner, and at the end the one line that the test command reads.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace {

/// Counts test cases; doctest keeps printing what failed.
struct Verdict : doctest::IReporter {
    static inline unsigned passed = 0;
    static inline unsigned failed = 0;

    explicit Verdict(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& stats) override {
        failed = stats.numTestCasesFailed;
        passed = stats.numTestCasesPassingFilters - failed;
    }
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("verdict", 1, Verdict);

constexpr unsigned kTimeLimit = 300;  // Seconds, for all test cases: they take a few.

}  // namespace

int main(int argc, char** argv) {
    doctest::Context context;
    context.setOption("minimal", true);
    context.setOption("no-colors", true);
    context.applyCommandLine(argc, argv);
    // A test case that hangs is named: doctest reports the one in which SIGTERM arrives.
    std::signal(SIGALRM, [](int) { std::raise(SIGTERM); });
    alarm(kTimeLimit);
    const int status = context.run();
    if (context.shouldExit()) return status;
    std::printf("%u passed, %u failed\n", Verdict::passed, Verdict::failed);
    // No test case at all is no success: a filter that matches nothing, or an empty program.
    return Verdict::passed == 0 ? 1 : status;
}
