#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>

#include "agentcom/core/error.hpp"

namespace agentcom::core {

/// A value or an Error. `value()` on an error throws, which is a bug of the caller: test first.
template <class T>
using result = boost::system::result<T, Error>;

/// Found by argument-dependent lookup from boost::system::result.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw std::logic_error("unchecked result: " + error.wire_name());
}

}  // namespace agentcom::core
