#include "net/buffered_stream.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

namespace agentcom::net {

namespace {

/// One recv reads so much: some hundred small frames, so that the call's 4-5 us are shared.
constexpr std::size_t kReadAhead = std::size_t{64} * 1024;
/// A buffer of which less than a quarter is still needed is exchanged for a smaller one, unless it
/// is as small as this.
constexpr std::size_t kSmallBuffer = std::size_t{4} * 1024;
/// Pieces of one gathered write; the outbox makes them up to 64 KiB large.
constexpr std::size_t kGather = 64;
/// Plain text of one TLS record.
constexpr std::size_t kTlsRecord = std::size_t{16} * 1024;

/// Shared by the connections of a loop: what is read into it is copied out before anyone else runs.
char* scratch() {
    thread_local auto buffer = std::make_unique<char[]>(kReadAhead);
    return buffer.get();
}

/// Whether what has come, and stays unread, begins with a capital letter: so does every HTTP
/// request, and nothing in TLS.
bool begins_like_http(int socket) noexcept {
    char first = 0;
    return ::recv(socket, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && first >= 'A' && first <= 'Z';
}

error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

}  // namespace

struct BufferedStream::Tls {
    Tls(Socket& socket, asio::ssl::context& context) : stream(socket, context) {}
    asio::ssl::stream<Socket&> stream;
    std::array<char, kTlsRecord> in;
    std::string out;  // being written
    core::Seq out_seq;
    bool writing = false;
};

BufferedStream::BufferedStream(Socket socket, asio::ssl::context* tls,
                               std::shared_ptr<const core::Clock> clock, std::size_t max_input,
                               std::shared_ptr<std::atomic<std::uint64_t>> open)
    : socket_(std::move(socket)),
      tls_(tls != nullptr ? std::make_unique<Tls>(socket_, *tls) : nullptr),
      clock_(std::move(clock)),
      max_input_(max_input),
      open_(std::move(open)),
      last_input_(clock_->steady()) {
    // Failures here mean that the connection is already gone, which the first read will tell.
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

BufferedStream::~BufferedStream() { --*open_; }

Awaitable<error_code> BufferedStream::handshake() {
    if (!tls_) co_return error_code();
    const auto [waited] = co_await socket_.async_wait(Socket::wait_read, kAsTuple);
    if (waited) co_return waited;
    if (begins_like_http(socket_.native_handle())) {
        tls_.reset();
        got_plain_http_ = true;
        co_return error_code();
    }
    const auto [error] =
        co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
    co_return error;
}

std::string BufferedStream::peer() const {
    error_code error;
    const auto endpoint = socket_.remote_endpoint(error);
    if (error) return "a closed connection";
    const std::string address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(endpoint.port());
}

void BufferedStream::consume(std::size_t bytes) {
    taken_ += bytes;
    const std::size_t left = input_.size() - taken_;
    if (left > 0 && (input_.capacity() <= kSmallBuffer || left > input_.capacity() / 4)) return;
    std::string(input_, taken_).swap(input_);
    taken_ = 0;
}

void BufferedStream::keep(std::string_view bytes) {
    input_.erase(0, std::exchange(taken_, 0));
    input_.append(bytes);
}

std::size_t BufferedStream::room() const noexcept {
    return max_input_ - std::min(input().size(), max_input_);
}

void BufferedStream::want_input() {
    if (!reading_ && !input_end_ && room() > 0) wait_for_input();
}

void BufferedStream::discard_input() {
    discarding_ = true;
    std::string().swap(input_);
    taken_ = 0;
    want_input();
}

bool BufferedStream::input_waits() noexcept {
    int bytes = 0;
    return ::ioctl(socket_.native_handle(), FIONREAD, &bytes) == 0 && bytes > 0;
}

void BufferedStream::wait_for_input() {
    reading_ = true;
    if (tls_) {
        tls_->stream.async_read_some(asio::buffer(tls_->in, room()),
                                     [self = shared_from_this()](error_code error, std::size_t n) {
                                         self->on_tls_read(error, n);
                                     });
    } else {
        socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
            self->on_readable(error);
        });
    }
}

void BufferedStream::on_readable(const error_code& error) {
    reading_ = false;
    if (error) return end_input(error);
    // None is left when the limit was lowered meanwhile: whoever takes something asks again.
    const std::size_t most = std::min(kReadAhead, room());
    if (most == 0) return;
    ssize_t bytes = 0;
    do {
        bytes = ::recv(socket_.native_handle(), scratch(), most, 0);
    } while (bytes < 0 && errno == EINTR);
    if (bytes > 0) return accept_input({scratch(), static_cast<std::size_t>(bytes)});
    if (bytes == 0) return end_input(asio::error::eof);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_for_input();
    end_input(last_error());
}

void BufferedStream::on_tls_read(const error_code& error, std::size_t bytes) {
    reading_ = false;
    if (error) return end_input(error);
    accept_input({tls_->in.data(), bytes});
}

void BufferedStream::accept_input(std::string_view bytes) {
    last_input_ = clock_->steady();
    if (discarding_) return wait_for_input();
    keep(bytes);
    if (owner_ != nullptr) owner_->on_input();
}

void BufferedStream::end_input(const error_code& error) {
    if (!input_end_) input_end_ = error;
    if (error != asio::error::eof) broken_ = true;
    if (owner_ != nullptr) owner_->on_input();
}

void BufferedStream::write_out() {
    if (waiting_for_room_ || broken_ || owner_ == nullptr) return;
    if (tls_) return write_tls();
    delivery::Outbox& outbox = owner_->output();
    if (outbox.empty()) return;
    core::Seq done;
    bool room = true;
    while (room && !outbox.empty()) room = send_some(outbox, done);
    owner_->on_output(done);
}

bool BufferedStream::send_some(delivery::Outbox& outbox, core::Seq& done) {
    std::size_t total = 0;
    ssize_t sent = 0;
    if (const std::string_view only = outbox.only_piece(); !only.empty()) {
        total = only.size();
        sent = ::send(socket_.native_handle(), only.data(), total, MSG_NOSIGNAL);
    } else {
        sent = send_gathered(outbox, total);
    }
    if (sent < 0 && errno == EINTR) return true;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        fail();
        return false;
    }
    if (sent > 0) done = std::max(done, outbox.consume(static_cast<std::size_t>(sent)));
    if (sent == static_cast<ssize_t>(total)) return true;
    wait_for_room();
    return false;
}

ssize_t BufferedStream::send_gathered(delivery::Outbox& outbox, std::size_t& total) {
    std::array<std::string_view, kGather> views;
    std::array<iovec, kGather> pieces;
    const std::size_t count = outbox.gather(views.data(), views.size());
    for (std::size_t i = 0; i < count; ++i) {
        pieces[i] = {const_cast<char*>(views[i].data()), views[i].size()};
        total += views[i].size();
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    return ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
}

void BufferedStream::wait_for_room() {
    waiting_for_room_ = true;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
        self->waiting_for_room_ = false;
        if (error) return self->fail();
        self->write_out();
    });
}

void BufferedStream::write_tls() {
    if (tls_->writing) return;
    delivery::Outbox& outbox = owner_->output();
    if (outbox.empty()) return;
    // Copied out of the outbox, which may be cleared while the record is on its way.
    std::array<std::string_view, kGather> views;
    const std::size_t count = outbox.gather(views.data(), views.size());
    tls_->out.clear();
    for (std::size_t i = 0; i < count && tls_->out.size() < kTlsRecord; ++i) {
        tls_->out.append(views[i].substr(0, kTlsRecord - tls_->out.size()));
    }
    tls_->out_seq = outbox.consume(tls_->out.size());
    tls_->writing = true;
    asio::async_write(tls_->stream, asio::buffer(tls_->out),
                      [self = shared_from_this()](error_code error, std::size_t) {
                          self->tls_->writing = false;
                          std::string().swap(self->tls_->out);
                          if (error) return self->fail();
                          if (self->owner_ == nullptr) return;
                          self->owner_->on_output(self->tls_->out_seq);
                          self->write_out();
                      });
}

bool BufferedStream::drained() const noexcept {
    return (owner_ == nullptr || owner_->output().empty()) && !(tls_ && tls_->writing);
}

void BufferedStream::shut_down_output() {
    if (broken_) return;
    if (tls_) {
        // Says goodbye in TLS; the answer, if any, is read like other input.
        tls_->stream.async_shutdown([self = shared_from_this()](error_code) {
            error_code ignored;
            self->socket_.shutdown(Socket::shutdown_send, ignored);
        });
        return;
    }
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void BufferedStream::abort() {
    error_code ignored;
    socket_.close(ignored);
    broken_ = true;
    if (!input_end_) input_end_ = asio::error::operation_aborted;
    if (owner_ != nullptr) owner_->on_input();
}

void BufferedStream::fail() {
    abort();
    if (owner_ != nullptr) owner_->on_output({});
}

}  // namespace agentcom::net
