#pragma once

#include <csignal>

namespace agentcom::app {

/// While it lives, a fault of memory ends the process with a sentence and this exit status. A store
/// is mapped, and pages of it that are damaged may lead those who walk them anywhere, or behind the
/// file's end. For commands with one thread; one at a time.
class PageFaultSentence {
public:
    explicit PageFaultSentence(int exit_status);
    ~PageFaultSentence();
    PageFaultSentence(const PageFaultSentence&) = delete;
    PageFaultSentence& operator=(const PageFaultSentence&) = delete;

private:
    struct sigaction segv_ {};
    struct sigaction bus_ {};
};

}  // namespace agentcom::app
