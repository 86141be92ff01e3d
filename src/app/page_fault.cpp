#include "app/page_fault.hpp"

#include <unistd.h>

#include <string_view>

namespace agentcom::app {
namespace {

volatile std::sig_atomic_t exit_status_of_fault = 1;

void say_and_end(int) {
    static constexpr std::string_view kSentence =
        "agentcom: the pages of the store are damaged, or its file is too short: they cannot be "
        "walked; restore a backup\n";
    [[maybe_unused]] const auto written =
        ::write(STDERR_FILENO, kSentence.data(), kSentence.size());
    ::_exit(exit_status_of_fault);
}

}  // namespace

PageFaultSentence::PageFaultSentence(int exit_status) {
    exit_status_of_fault = exit_status;
    struct sigaction action {};
    action.sa_handler = &say_and_end;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGSEGV, &action, &segv_);
    ::sigaction(SIGBUS, &action, &bus_);
}

PageFaultSentence::~PageFaultSentence() {
    ::sigaction(SIGSEGV, &segv_, nullptr);
    ::sigaction(SIGBUS, &bus_, nullptr);
}

}  // namespace agentcom::app
