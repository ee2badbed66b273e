// Entries of OSSL_DISPATCH tables, each checked against the type that openssl/core_dispatch.h gives the
// function. libcrypto calls them from C: none may throw, and the compiler refuses one that is not noexcept.
// Whether a failure becomes an error, and not the end of the process, is guard()'s; scripts/check_layering.py
// says which function has none.
#pragma once

#include <openssl/core_dispatch.h>

namespace keystay::provider {

template <typename Function>
struct Callback;
template <typename Result, typename... Arguments>
struct Callback<Result(Arguments...)> {
  using Type = Result (*)(Arguments...) noexcept;
};

template <typename Function>
[[nodiscard]] OSSL_DISPATCH entry(int id, typename Callback<Function>::Type function) noexcept {
  return {id, reinterpret_cast<void (*)()>(function)};
}

inline constexpr OSSL_DISPATCH kEndOfDispatch{0, nullptr};

}  // namespace keystay::provider
