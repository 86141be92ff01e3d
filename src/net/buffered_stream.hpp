#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/outbox.hpp"
#include "net/await.hpp"

namespace agentcom::net {

/// Whose stream it is: has the output, is told what happens. Called on the loop's thread; must not
/// resume a coroutine before it returns.
class StreamOwner {
public:
    virtual ~StreamOwner() = default;
    [[nodiscard]] virtual delivery::Outbox& output() = 0;
    /// Input came or ended while nobody was reading.
    virtual void on_input() = 0;
    /// Output left the outbox, messages up to `seq` (0: none) completely; or the stream broke.
    virtual void on_output(core::Seq seq) = 0;
};

/// One accepted connection, plain or TLS, below HTTP and WebSocket. Reads ahead in large pieces, so
/// that many frames cost one system call, and keeps only what its reader has not taken, so that an
/// idle connection owns no buffers. Writes its owner's outbox with gathered system calls. For one
/// event loop's thread; lives by shared_ptr, because pending operations refer to it.
class BufferedStream : public std::enable_shared_from_this<BufferedStream> {
public:
    /// `tls` may be null; the stream keeps what it needs of it. `max_input` bounds what is kept
    /// unread, in bytes. `open` counts streams; it has been raised for this one and is lowered by
    /// its end.
    BufferedStream(Socket socket, asio::ssl::context* tls, std::shared_ptr<const core::Clock> clock,
                   std::size_t max_input, std::shared_ptr<std::atomic<std::uint64_t>> open);
    ~BufferedStream();
    BufferedStream(const BufferedStream&) = delete;
    BufferedStream& operator=(const BufferedStream&) = delete;

    void set_owner(StreamOwner* owner) noexcept { owner_ = owner; }
    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
    /// The TLS handshake; nothing to do on a plain stream. When the other side speaks plain HTTP
    /// this becomes a plain stream that has been `got_plain_http`.
    [[nodiscard]] Awaitable<error_code> handshake();
    [[nodiscard]] bool got_plain_http() const noexcept { return got_plain_http_; }
    /// Address and port of the other side, for log lines.
    [[nodiscard]] std::string peer() const;

    // Input.

    /// What has been read and not been consumed.
    [[nodiscard]] std::string_view input() const noexcept {
        return std::string_view(input_).substr(taken_);
    }
    void consume(std::size_t bytes);
    /// Reads once, in the background, unless as much as may be kept is at hand; the owner's
    /// `on_input` tells when something came.
    void want_input();
    /// Changes how much is kept unread, in bytes. What is at hand stays.
    void limit_input(std::size_t max_input) noexcept { max_input_ = max_input; }
    /// End of file or an error: `input` will not grow any more.
    [[nodiscard]] bool input_ended() const noexcept { return static_cast<bool>(input_end_); }
    /// From now on input is read and thrown away, until it ends.
    void discard_input();
    /// Whether something has arrived that has not been read yet.
    [[nodiscard]] bool input_waits() noexcept;
    /// When bytes last arrived (at first: when the stream was made).
    [[nodiscard]] core::SteadyTime last_input() const noexcept { return last_input_; }

    // Output.

    /// Writes the owner's outbox, as far as the socket takes it; goes on by itself when it takes
    /// more.
    void write_out();
    /// Everything has been handed to the operating system.
    [[nodiscard]] bool drained() const noexcept;
    /// An error has ended the stream, or `abort` has.
    [[nodiscard]] bool broken() const noexcept { return broken_; }
    /// Tells the other side that nothing more will come.
    void shut_down_output();
    /// Closes the socket at once. Operations in progress complete with an error.
    void abort();

    [[nodiscard]] Executor executor() noexcept { return socket_.get_executor(); }

private:
    struct Tls;
    void wait_for_input();
    void on_readable(const error_code& error);
    void on_tls_read(const error_code& error, std::size_t bytes);
    void accept_input(std::string_view bytes);
    /// How much may be read now.
    [[nodiscard]] std::size_t room() const noexcept;
    void keep(std::string_view bytes);
    void end_input(const error_code& error);
    /// One system call. False when the socket takes no more.
    bool send_some(delivery::Outbox& outbox, core::Seq& done);
    /// As much as one call takes of an outbox with several pieces; `total`: how much that is.
    ssize_t send_gathered(delivery::Outbox& outbox, std::size_t& total);
    void wait_for_room();
    void write_tls();
    void fail();

    Socket socket_;
    std::unique_ptr<Tls> tls_;
    std::shared_ptr<const core::Clock> clock_;
    std::size_t max_input_;
    std::shared_ptr<std::atomic<std::uint64_t>> open_;
    StreamOwner* owner_ = nullptr;

    std::string input_;      // empty whenever all of it is taken
    std::size_t taken_ = 0;  // bytes of input_ already consumed
    error_code input_end_;
    core::SteadyTime last_input_;
    bool reading_ = false;  // an operation that reads, or waits to, is pending
    bool discarding_ = false;
    bool waiting_for_room_ = false;
    bool broken_ = false;
    bool got_plain_http_ = false;
};

}  // namespace agentcom::net
