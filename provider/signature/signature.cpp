#include "provider/signature/signature.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

const Digest& known_digest(std::string_view name, Software& software) {
  const Digest* digest = software.digest_named(name);
  if (!digest) throw Error(Reason::unsupported, "signatures with the digest \"" + std::string(name) + "\"");
  return *digest;
}

}  // namespace

Signature::Signature(const Signature& other)
    : context_(other.context_),
      key_(other.key_),
      operation_(other.operation_),
      input_(other.input_),
      digest_(other.digest_),
      hashing_(other.hashing_) {
  if (other.hashing_) {
    hash_.reset(EVP_MD_CTX_new());
    if (!hash_ || EVP_MD_CTX_copy_ex(hash_.get(), other.hash_.get()) != 1) {
      throw SoftwareFailure("EVP_MD_CTX_copy_ex");
    }
  }
  if (other.parameters_) {
    parameters_.reset(EVP_PKEY_CTX_dup(other.parameters_.get()));
    if (!parameters_) throw SoftwareFailure("EVP_PKEY_CTX_dup");
  }
}

void Signature::begin(Key* key, Operation operation) {
  if (key) key_ = key;
  if (!key_ || !key_->software()) throw Error(Reason::internal, "a signature without a key");
  const int needed =
      operation == Operation::sign ? OSSL_KEYMGMT_SELECT_PRIVATE_KEY : OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
  if ((key_->parts() & needed) == 0) {
    throw Error(Reason::unsupported, operation == Operation::sign ? "signing with a public key"
                                                                  : "verifying without a public key");
  }
  operation_ = operation;
  input_ = Input::digest;
  digest_ = nullptr;
  hashing_ = false;
  parameters_.reset();
}

void Signature::begin_message(Key* key, Operation operation, std::string_view digest_name) {
  const Digest& digest = known_digest(digest_name, context_.software());
  begin(key, operation);
  input_ = Input::message;
  digest_ = &digest;
  // A key may be bound to another digest; TLS asks in this way which one it can have.
  if (&key_->type() == &kRsaPss) {
    static_cast<void>(parameters());
    check_parameters();
  }
}

void Signature::check_parameters() {
  if (operation_ == Operation::sign && key_->on_token()) require_possible();
}

bool Signature::set_params(const OSSL_PARAM params[]) {
  if (!params || !params->key) return true;
  const Digest* digest = digest_;
  if (const OSSL_PARAM* name = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST)) {
    const char* text = nullptr;
    if (OSSL_PARAM_get_utf8_string_ptr(name, &text) != 1) return false;
    digest = &known_digest(text, context_.software());
    if (input_ == Input::message && digest != digest_) {
      throw Error(Reason::unsupported, "another digest than the one that the operation began with");
    }
  }
  if (!Software::set_params(parameters(), params)) return false;
  digest_ = digest;
  check_parameters();
  return true;
}

const OSSL_PARAM* Signature::settable_params() {
  return key_ ? EVP_PKEY_CTX_settable_params(parameters()) : nullptr;
}

const OSSL_PARAM* Signature::gettable_params() {
  return key_ ? EVP_PKEY_CTX_gettable_params(parameters()) : nullptr;
}

bool Signature::params(OSSL_PARAM params[]) {
  return !params || !params->key || EVP_PKEY_CTX_get_params(parameters(), params) == 1;
}

EVP_PKEY_CTX* Signature::parameters() {
  if (parameters_) return parameters_.get();
  x509::EvpPkeyContext fresh = context_.software().context_of(key_->software());
  // Beginning to sign needs no private key; that is only looked for when a signature is made.
  const int begun = operation_ == Operation::sign     ? EVP_PKEY_sign_init(fresh.get())
                    : operation_ == Operation::verify ? EVP_PKEY_verify_init(fresh.get())
                                                      : EVP_PKEY_verify_recover_init(fresh.get());
  if (begun != 1) throw SoftwareFailure("EVP_PKEY_sign_init");
  parameters_ = std::move(fresh);
  give_digest_to_parameters();
  return parameters_.get();
}

void Signature::give_digest_to_parameters() {
  if (!digest_) return;
  const OSSL_PARAM digest[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(digest_->name.data()),
                                       digest_->name.size()),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_set_params(parameters_.get(), digest) != 1)
    throw SoftwareFailure("EVP_PKEY_CTX_set_params");
}

void Signature::start_hash() {
  if (!hash_) hash_.reset(EVP_MD_CTX_new());
  if (!hash_ || EVP_DigestInit_ex2(hash_.get(), context_.software().fetch(*digest_), nullptr) != 1) {
    throw SoftwareFailure("EVP_DigestInit_ex2");
  }
  hashing_ = true;
}

void Signature::update(ByteView message) {
  if (input_ != Input::message) throw Error(Reason::internal, "the operation is not one on a message");
  if (!hashing_) start_hash();
  if (EVP_DigestUpdate(hash_.get(), message.data(), message.size()) != 1)
    throw SoftwareFailure("EVP_DigestUpdate");
}

Signature::Hash Signature::finish_hash() {
  if (input_ != Input::message) throw Error(Reason::internal, "the operation is not one on a message");
  if (!hashing_) start_hash();  // of an empty message
  Hash hash{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(hash_.get(), hash.bytes.data(), &size) != 1)
    throw SoftwareFailure("EVP_DigestFinal_ex");
  hash.size = size;
  hashing_ = false;
  return hash;
}

std::size_t Signature::signature_size() const {
  return static_cast<std::size_t>(EVP_PKEY_get_size(key_->software()));
}

std::optional<std::size_t> Signature::sign(ByteView digest, std::span<std::uint8_t> signature) {
  if (digest_ && digest.size() != digest_->size) {
    throw Error(Reason::unsupported,
                "a digest of another length than " + std::string(digest_->name) + " has");
  }
  if (signature.size() < signature_size())
    throw Error(Reason::internal, "the place for the signature is too small");
  if (key_->on_token()) return sign_on_token(digest, signature);
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(parameters(), signature.data(), &size, digest.data(), digest.size()) != 1) {
    throw SoftwareFailure("EVP_PKEY_sign");
  }
  return size;
}

std::optional<std::size_t> Signature::sign_message(std::span<std::uint8_t> signature) {
  return sign(finish_hash().view(), signature);
}

bool Signature::verify(ByteView digest, ByteView signature) {
  return EVP_PKEY_verify(parameters(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

bool Signature::verify_message(ByteView signature) { return verify(finish_hash().view(), signature); }

bool Signature::recover(ByteView signature, std::span<std::uint8_t> digest, std::size_t* size) {
  *size = digest.size();
  return EVP_PKEY_verify_recover(parameters(), digest.data(), size, signature.data(), signature.size()) == 1;
}

}  // namespace keystay::provider
