// Functions of OSSL_OP_SIGNATURE (provider-signature(7)) that only pass the call on.
#pragma once

#include "provider/operation_context.h"

namespace keystay::provider {

// `Object` has signature_size() and those of update(), sign(), sign_message(), verify() and recover() whose
// functions are in its dispatch table.
template <typename Object>
struct SignatureCallbacks : OperationContext<Object> {
  using Base = OperationContext<Object>;
  using Base::with;

  template <typename Make>
  static int produce(void* ctx, const typename Base::Output& output, Make&& make, Place place = {}) noexcept {
    const auto size = [](Object& signature) { return signature.signature_size(); };
    return Base::produce(ctx, output, size, std::forward<Make>(make), place);
  }

  static int sign(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
                  const unsigned char* data, std::size_t size) noexcept {
    return produce(ctx, {out, length, capacity}, [&](Object& signature, std::span<std::uint8_t> place) {
      return signature.sign({data, size}, place);
    });
  }

  static int update(void* ctx, const unsigned char* message, std::size_t size) noexcept {
    return with(ctx, [&](Object& signature) {
      signature.update({message, size});
      return true;
    });
  }

  static int sign_message_final(void* ctx, unsigned char* out, std::size_t* length,
                                std::size_t capacity) noexcept {
    return produce(ctx, {out, length, capacity}, [](Object& signature, std::span<std::uint8_t> place) {
      return signature.sign_message(place);
    });
  }

  static int verify(void* ctx, const unsigned char* bytes, std::size_t length, const unsigned char* data,
                    std::size_t size) noexcept {
    return with(ctx, [&](Object& signature) { return signature.verify({data, size}, {bytes, length}); });
  }

  static int recover(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
                     const unsigned char* bytes, std::size_t size) noexcept {
    return with(ctx, [&](Object& signature) {
      return signature.recover({bytes, size}, std::span(out, capacity), length);
    });
  }
};

}  // namespace keystay::provider
