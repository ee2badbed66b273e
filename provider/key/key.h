// What an EVP_PKEY of this provider holds: a private key on a token, or a key that is in software like any
// other.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "native/keys/private_key.h"
#include "native/x509/openssl_types.h"
#include "provider/context.h"
#include "provider/key/key_type.h"
#include "provider/key/public_half.h"
#include "provider/key/scheme.h"

namespace keystay::provider {

// What a key on a token is never changes after it is made, so that threads share it without a lock. How its
// public half is written may be chosen, as with every EVP_PKEY. A key in software may grow as the default
// provider's keys do: made empty, then imported into.
class Key final : public boost::intrusive_ref_counter<Key> {
 public:
  // An empty key in software.
  Key(Context& context, const KeyType& type) noexcept : context_(context), type_(type) {}
  // A key in software: `parts` says what it consists of, in OSSL_KEYMGMT_SELECT_ bits.
  Key(Context& context, const KeyType& type, x509::EvpPkey software, int parts) noexcept;
  // A key on a token, for which `signers` sign in jobs.
  Key(Context& context, keys::PrivateKey private_key, PublicHalf public_half, SignerThreads& signers);
  // The same key, with this copy of what it has in software.
  Key(const Key& other, x509::EvpPkey software);

  [[nodiscard]] Context& context() const noexcept { return context_; }
  [[nodiscard]] const KeyType& type() const noexcept { return type_; }
  [[nodiscard]] int parts() const noexcept { return parts_; }

  // Null for a key in software.
  [[nodiscard]] const keys::PrivateKey* on_token() const noexcept {
    return private_key_ ? &*private_key_ : nullptr;
  }
  // The public half of a key on a token; the whole of a key in software. Null while it is empty.
  [[nodiscard]] EVP_PKEY* software() const noexcept { return software_.get(); }
  void set_software(x509::EvpPkey software, int parts) noexcept;
  void add_parts(int parts) noexcept { parts_ |= parts; }

  // What an encoder writes in the place of a private key that was just generated on a token: its reference.
  // Empty for all other keys.
  [[nodiscard]] const std::string& written_form() const noexcept { return written_form_; }
  void set_written_form(std::string pem) noexcept { written_form_ = std::move(pem); }

  // On the token. Returns the length of the result. Throws pkcs11::Error, Error. In a job, whose stack should
  // not be unwound, a failure of the token is no exception: nothing, with the reason on the error queue.
  [[nodiscard]] std::optional<std::size_t> perform(const Scheme& scheme, pkcs11::ByteView data,
                                                   std::span<std::uint8_t> result) const;

 private:
  Context& context_;
  const KeyType& type_;
  std::optional<keys::PrivateKey> private_key_;
  SignerThreads* signers_ = nullptr;
  x509::EvpPkey software_;
  int parts_ = 0;
  std::string written_form_;
};

using KeyPtr = boost::intrusive_ptr<Key>;

}  // namespace keystay::provider
