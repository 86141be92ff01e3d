#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/core/seq.hpp"
#include "agentcom/delivery/output_budget.hpp"

namespace agentcom::delivery {

/// How the streams of one kind of session carry events: WebSocket frames, server-sent events and so
/// on. One object for each kind, without state, for any thread: sessions of a kind share it, and
/// bytes that were made with it serve all of them.
class Framing {
public:
    virtual ~Framing() = default;
    /// Appends the bytes of one event: its JSON text, and the number of the message in it (0: it is
    /// none).
    virtual void append(std::string& out, std::string_view text, core::Seq seq) const = 0;
    /// Appends the bytes of an event that is no message: of this type, and with this number (0:
    /// none), where a stream of the kind can say so.
    virtual void append_event(std::string& out, std::string_view, std::string_view text,
                              std::uint64_t) const {
        append(out, text, core::Seq{});
    }
};

/// One event in one framing.
struct FramedBytes {
    std::string copied;  // what is small goes into each outbox, and takes no memory of its own
    core::SharedBytes shared;  // what is large waits there once for all
    [[nodiscard]] std::string_view view() const noexcept {
        return shared ? std::string_view(*shared) : std::string_view(copied);
    }
};

/// The bytes of one event in each framing that somebody needs, made once for all who do. For one
/// event loop's thread.
class FramedEvent {
public:
    /// The next event. The room of small bytes is used again; large ones are let go of.
    void clear() noexcept {
        usual_.framing = nullptr;
        usual_.bytes.shared.reset();
        usual_.bytes.copied.clear();
        others_.clear();
    }
    /// `text` makes the event's JSON text, as a std::string_view. Large bytes are counted by the
    /// budget, if there is one.
    template <class Text>
    const FramedBytes& in(const Framing& framing, core::Seq seq, OutputBudget* budget,
                          Text&& text) {
        if (usual_.framing == &framing) return usual_.bytes;
        for (const Made& made : others_) {
            if (made.framing == &framing) return made.bytes;
        }
        return make(framing, seq, budget, std::forward<Text>(text)());
    }

private:
    struct Made {
        const Framing* framing = nullptr;
        FramedBytes bytes;
    };
    const FramedBytes& make(const Framing& framing, core::Seq seq, OutputBudget* budget,
                            std::string_view text);

    Made usual_;  // most events are for sessions of one kind
    std::vector<Made> others_;
};

}  // namespace agentcom::delivery
