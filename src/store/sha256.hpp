#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace agentcom::store {

/// SHA-256 of bytes that come in pieces. Throws std::runtime_error when OpenSSL has none.
class Sha256 {
public:
    Sha256();
    void add(std::string_view piece);
    /// 64 lower-case hexadecimal digits; ends it.
    [[nodiscard]] std::string hex();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace agentcom::store
