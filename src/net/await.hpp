#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

/// The types every coroutine of this room shares. A connection belongs to one io_context, so the
/// concrete executor is used everywhere: it is smaller and faster than the type-erased one.
namespace agentcom::net {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;

using UseAwaitable = asio::use_awaitable_t<Executor>;
/// The one token of the data path: operations return their error code, they do not throw.
inline constexpr asio::as_tuple_t<UseAwaitable> kAsTuple{UseAwaitable{}};

}  // namespace agentcom::net
