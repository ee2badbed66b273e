#include "provider/exchange/key_exchange.h"

#include <algorithm>
#include <array>
#include <utility>

#include "native/x509/public_key.h"
#include "provider/exchange/x963_kdf.h"

namespace keystay::provider {
namespace {

constexpr std::size_t kLongestSecret = 66;  // P-521

// Not on the heap: a job that is paused may never go on.
using Shared = std::array<std::uint8_t, kLongestSecret>;

struct Wiped {
  Shared& shared;
  ~Wiped() { OPENSSL_cleanse(shared.data(), shared.size()); }
};

// What a token is given of its peer.
pkcs11::Bytes point_of(const pkcs11::PublicKey& key) {
  if (const auto* montgomery = std::get_if<pkcs11::MontgomeryPublicKey>(&key)) return montgomery->point;
  return std::get<pkcs11::EcPublicKey>(key).point;
}

// In a time that says nothing of the bytes.
bool all_zero(pkcs11::ByteView bytes) {
  std::uint8_t any = 0;
  for (const std::uint8_t byte : bytes) any |= byte;
  return any == 0;
}

// RFC 7748, section 6.1: what a peer's point of small order makes of every key is no secret.
std::size_t hand_out_x25519(pkcs11::ByteView shared, std::span<std::uint8_t> secret) {
  if (all_zero(shared)) throw Error(Reason::unsupported, "a peer's key of small order");
  if (secret.size() < shared.size())
    throw Error(Reason::internal, "the place for the shared secret is too small");
  std::copy(shared.begin(), shared.end(), secret.begin());
  return shared.size();
}

bool is_montgomery(const Key& key) { return key.type().token_type == pkcs11::kMontgomeryKey; }

std::size_t field_size(const EVP_PKEY* key) {
  return (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
}

}  // namespace

KeyExchange::KeyExchange(const KeyExchange& other)
    : context_(other.context_), key_(other.key_), peer_point_(other.peer_point_) {
  if (!other.parameters_) return;
  parameters_.reset(EVP_PKEY_CTX_dup(other.parameters_.get()));
  if (!parameters_) throw SoftwareFailure("EVP_PKEY_CTX_dup");
}

void KeyExchange::begin(Key* key) {
  if (key) key_ = key;
  if (!key_ || !key_->software()) throw Error(Reason::internal, "a key exchange without a key");
  if ((key_->parts() & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0)
    throw Error(Reason::unsupported, "deriving a secret with a public key");
  parameters_.reset();
  peer_point_.clear();
}

EVP_PKEY_CTX* KeyExchange::parameters() {
  if (parameters_) return parameters_.get();
  x509::EvpPkeyContext fresh = context_.software().context_of(key_->software());
  // Beginning needs no private key; that is only looked for in the end.
  if (EVP_PKEY_derive_init(fresh.get()) != 1) throw SoftwareFailure("EVP_PKEY_derive_init");
  parameters_ = std::move(fresh);
  return parameters_.get();
}

// What a token is given must be a point of its key's curve, or the answers tell the private key bit by bit
// (SEC 1, section 3.2.2; X25519 needs no such check); some tokens rely on their callers for that. For keys in
// software, libcrypto has done what the application wanted before it came here.
bool KeyExchange::set_peer(const Key& peer) {
  if (!peer.software()) throw Error(Reason::internal, "a key exchange with a peer that has no key");
  const int validate = key_->on_token() ? 1 : 0;
  if (EVP_PKEY_derive_set_peer_ex(parameters(), peer.software(), validate) != 1) return false;
  if (key_->on_token()) {
    peer_point_ = point_of(x509::from_evp_pkey(peer.software()));
  }
  return true;
}

bool KeyExchange::set_params(const OSSL_PARAM params[]) {
  return !params || !params->key || Software::set_params(parameters(), params);
}

bool KeyExchange::params(OSSL_PARAM params[]) {
  return !params || !params->key || EVP_PKEY_CTX_get_params(parameters(), params) == 1;
}

std::optional<std::size_t> KeyExchange::secret_size() {
  // The default provider has no size of an X25519 secret before it has the private key.
  if (key_->on_token() && is_montgomery(*key_)) return field_size(key_->software());
  std::size_t size = 0;
  if (EVP_PKEY_derive(parameters(), nullptr, &size) != 1) return std::nullopt;
  return size;
}

std::optional<std::size_t> KeyExchange::derive(std::span<std::uint8_t> secret) {
  if (key_->on_token()) return derive_on_token(secret);
  std::size_t size = secret.size();
  if (EVP_PKEY_derive(parameters(), secret.data(), &size) != 1) return std::nullopt;
  return size;
}

// All curves of ECDH here have the cofactor 1, so that its mode makes no difference.
std::optional<std::size_t> KeyExchange::derive_on_token(std::span<std::uint8_t> secret) {
  if (peer_point_.empty()) throw Error(Reason::unsupported, "deriving a secret without the peer's key");
  const std::optional<std::size_t> wanted = secret_size();
  if (!wanted) return std::nullopt;
  Shared shared;
  const auto place = std::span(shared).first(field_size(key_->software()));
  if (!key_->perform(pkcs11::AgreeEcdh{}, peer_point_, place)) return std::nullopt;
  const Wiped wiped{shared};
  if (is_montgomery(*key_)) return hand_out_x25519(place, secret);
  if (!wants_x963_kdf(parameters())) {  // cut off where there is no room, as the default provider does
    const std::size_t size = std::min(secret.size(), place.size());
    std::copy_n(place.begin(), size, secret.begin());
    return size;
  }
  if (secret.size() < *wanted) throw Error(Reason::internal, "the place for the derived key is too small");
  x963_kdf(parameters(), place, secret.first(*wanted), context_.software());
  return wanted;
}

}  // namespace keystay::provider
