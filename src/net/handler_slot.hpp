#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace agentcom::net {

/// One suspended operation: its completion handler, type-erased so that what resumes it needs no
/// template. For one event loop's thread. The handler usually owns a coroutine that owns the object
/// that holds this slot; whoever ends the program with operations suspended calls `drop`.
class HandlerSlot {
public:
    [[nodiscard]] bool waiting() const noexcept { return held_ != nullptr; }

    /// The slot must be empty.
    template <class Handler>
    void hold(Handler&& handler) {
        held_ = std::make_unique<Held<std::decay_t<Handler>>>(std::forward<Handler>(handler));
    }

    /// Calls the handler, if there is one, after emptying the slot: it may suspend here again.
    void resume() {
        if (auto held = std::move(held_)) held.release()->run();
    }

    void drop() noexcept { held_.reset(); }

private:
    struct Base {
        virtual ~Base() = default;
        /// Deletes itself before it calls the handler, so that the memory can be used again.
        virtual void run() = 0;
    };
    template <class Handler>
    struct Held final : Base {
        explicit Held(Handler h) : handler(std::move(h)) {}
        void run() override {
            Handler own = std::move(handler);
            delete this;
            std::move(own)();
        }
        Handler handler;
    };
    std::unique_ptr<Base> held_;
};

}  // namespace agentcom::net
