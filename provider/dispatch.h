// Entries of OSSL_DISPATCH tables, each checked against the type that openssl/core_dispatch.h gives the
// function.
#pragma once

#include <type_traits>

#include <openssl/core_dispatch.h>

namespace keystay::provider {

template <typename Function>
[[nodiscard]] OSSL_DISPATCH entry(int id, std::type_identity_t<Function>* function) noexcept {
  return {id, reinterpret_cast<void (*)()>(function)};
}

inline constexpr OSSL_DISPATCH kEndOfDispatch{0, nullptr};

}  // namespace keystay::provider
