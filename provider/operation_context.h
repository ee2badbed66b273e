// What the functions of all operations have in common. A context of libcrypto's for one operation
// (EVP_MD_CTX, EVP_PKEY_CTX) is an object of ours; these functions only pass the call on to it, through the
// guard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <openssl/core.h>

#include "provider/context.h"
#include "provider/guard.h"

namespace keystay::provider {

// `Object` has context(), params() and set_params(). It is copied by its copy constructor, or by duplicate()
// if it is of a class that others derive from.
template <typename Object>
struct OperationContext {
  [[nodiscard]] static Object& of(void* ctx) noexcept { return *static_cast<Object*>(ctx); }

  // Runs `body` with the object; 1 if it returns true.
  template <typename Body>
  static int with(void* ctx, Body&& body, Place place = {}) noexcept {
    return guard(
        of(ctx).context().core(), [&] { return body(of(ctx)) ? 1 : 0; }, place);
  }

  // Hands libcrypto what `make` returns for the context of the provider.
  template <typename Make>
  static void* create(void* provctx, Make&& make, Place place = {}) noexcept {
    auto& context = *static_cast<Context*>(provctx);
    return guard(
        context.core(), [&]() -> void* { return static_cast<Object*>(make(context).release()); }, place);
  }

  static void free(void* ctx) noexcept { delete &of(ctx); }

  static void* duplicate(void* ctx) noexcept {
    const Object& object = of(ctx);
    return guard(of(ctx).context().core(), [&]() -> void* {
      if constexpr (requires { object.duplicate(); }) {
        return object.duplicate().release();
      } else {
        return new Object(object);
      }
    });
  }

  static int get_params(void* ctx, OSSL_PARAM params[]) noexcept {
    return with(ctx, [&](Object& object) { return object.params(params); });
  }
  static int set_params(void* ctx, const OSSL_PARAM params[]) noexcept {
    return with(ctx, [&](Object& object) { return object.set_params(params); });
  }

  // A place for what an operation makes, as libcrypto gives it.
  struct Output {
    unsigned char* place;
    std::size_t* length;
    std::size_t capacity;
  };

  // `make` fills the place and returns the length; nothing if it failed. A null place asks for the longest
  // length, `size`, and nothing else happens.
  template <typename Size, typename Make>
  static int produce(void* ctx, const Output& output, Size&& size, Make&& make, Place place = {}) noexcept {
    return with(
        ctx,
        [&](Object& object) {
          const std::optional<std::size_t> made =
              output.place ? make(object, std::span(output.place, output.capacity)) : size(object);
          if (made) *output.length = *made;
          return made.has_value();
        },
        place);
  }
};

}  // namespace keystay::provider
