#include "provider/exchange/rsa_cipher.h"

#include <algorithm>
#include <array>
#include <string>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

namespace keystay::provider {
namespace {

using pkcs11::ByteView;
using Output = std::span<std::uint8_t>;

// OSSL_ASYM_CIPHER_PARAM_IMPLICIT_REJECTION, which OpenSSL has since 3.2.
constexpr char kImplicitRejection[] = "implicit-rejection";
constexpr std::size_t kLongestModulus = 2048;  // bytes: RSA with 16,384 bits

const Digest& known_digest(const char* name, Software& software) {
  const Digest* digest = software.digest_named(name);
  if (!digest) throw Error(Reason::unsupported, std::string("OAEP with the digest \"") + name + "\"");
  return *digest;
}

// As long as the modulus, and below it (RFC 8017, section 5.1.2, step 1). Both are public.
void put_ciphertext(ByteView ciphertext, const pkcs11::Bytes& modulus, Output place) {
  if (ciphertext.size() > place.size())
    throw Error(Reason::unsupported, "the ciphertext is longer than the modulus");
  std::fill(place.begin(), place.end(), std::uint8_t{0});
  std::copy(ciphertext.begin(), ciphertext.end(),
            place.end() - static_cast<std::ptrdiff_t>(ciphertext.size()));
  if (!std::lexicographical_compare(place.begin(), place.end(), modulus.begin(), modulus.end()))
    throw Error(Reason::unsupported, "the ciphertext is no number below the modulus");
}

// Not on the heap: a job that is paused may never go on.
struct Block {
  std::array<std::uint8_t, kLongestModulus> bytes;
};

struct Wiped {
  Block& block;
  ~Wiped() { OPENSSL_cleanse(block.bytes.data(), block.bytes.size()); }
};

}  // namespace

RsaCipher::RsaCipher(const RsaCipher& other)
    : context_(other.context_),
      key_(other.key_),
      operation_(other.operation_),
      implicit_rejection_(other.implicit_rejection_) {
  if (!other.parameters_) return;
  parameters_.reset(EVP_PKEY_CTX_dup(other.parameters_.get()));
  if (!parameters_) throw SoftwareFailure("EVP_PKEY_CTX_dup");
}

void RsaCipher::begin(Key* key, Operation operation) {
  if (key) key_ = key;
  if (!key_ || !key_->software()) throw Error(Reason::internal, "a cipher without a key");
  if (&key_->type() == &kRsaPss)
    throw Error(Reason::unsupported, "decryption or encryption with an RSA-PSS key, which only signs");
  const bool encrypts = operation == Operation::encrypt;
  const int needed = encrypts ? OSSL_KEYMGMT_SELECT_PUBLIC_KEY : OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
  if ((key_->parts() & needed) == 0) {
    throw Error(Reason::unsupported,
                encrypts ? "encrypting without a public key" : "decrypting with a public key");
  }
  operation_ = operation;
  implicit_rejection_ = true;
  parameters_.reset();
}

EVP_PKEY_CTX* RsaCipher::parameters() {
  if (parameters_) return parameters_.get();
  x509::EvpPkeyContext fresh = context_.software().context_of(key_->software());
  // Beginning to decrypt needs no private key; that is only looked for in the end.
  const int begun = operation_ == Operation::encrypt ? EVP_PKEY_encrypt_init(fresh.get())
                                                     : EVP_PKEY_decrypt_init(fresh.get());
  if (begun != 1) throw SoftwareFailure("EVP_PKEY_decrypt_init");
  parameters_ = std::move(fresh);
  return parameters_.get();
}

bool RsaCipher::set_params(const OSSL_PARAM params[]) {
  if (!params || !params->key) return true;
  if (const OSSL_PARAM* wish = OSSL_PARAM_locate_const(params, kImplicitRejection)) {
    unsigned int on = 0;
    if (OSSL_PARAM_get_uint(wish, &on) != 1) return false;
    implicit_rejection_ = on != 0;
  }
  return Software::set_params(parameters(), params);
}

bool RsaCipher::params(OSSL_PARAM params[]) {
  if (!params || !params->key) return true;
  OSSL_PARAM* rejection = OSSL_PARAM_locate(params, kImplicitRejection);
  if (rejection && OSSL_PARAM_set_uint(rejection, implicit_rejection_ ? 1 : 0) != 1) return false;
  return EVP_PKEY_CTX_get_params(parameters(), params) == 1;
}

int RsaCipher::padding() {
  int padding = 0;
  OSSL_PARAM request[] = {OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &padding),
                          OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  return padding;
}

// An empty name means the default: SHA-1, and the same for MGF1.
Oaep RsaCipher::oaep() {
  std::array<char, 50> hash{};
  std::array<char, 50> mgf1{};
  void* label = nullptr;
  OSSL_PARAM request[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hash.data(), hash.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf1.data(), mgf1.size()),
      OSSL_PARAM_construct_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &label, 0),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  const char* hash_name = hash.front() ? hash.data() : "SHA1";
  const auto* bytes = static_cast<const std::uint8_t*>(label);
  Software& software = context_.software();
  return {&known_digest(hash_name, software), &known_digest(mgf1.front() ? mgf1.data() : hash_name, software),
          pkcs11::Bytes(bytes, bytes + (bytes ? request[2].return_size : 0))};
}

TlsVersions RsaCipher::tls_versions() {
  TlsVersions versions{};
  OSSL_PARAM request[] = {
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &versions.client),
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &versions.negotiated),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  if (versions.client == 0) throw Error(Reason::unsupported, "TLS padding without the client's version");
  return versions;
}

std::size_t RsaCipher::modulus_size() const {
  return static_cast<std::size_t>(EVP_PKEY_get_size(key_->software()));
}

std::size_t RsaCipher::output_size() {
  const bool premaster = operation_ == Operation::decrypt && padding() == RSA_PKCS1_WITH_TLS_PADDING;
  return premaster ? kPremasterSize : modulus_size();
}

std::optional<std::size_t> RsaCipher::process(ByteView input, Output output) {
  if (output.size() < output_size()) throw Error(Reason::internal, "the place for the output is too small");
  return operation_ == Operation::decrypt && key_->on_token() ? decrypt_on_token(input, output)
                                                              : process_in_software(input, output);
}

std::optional<std::size_t> RsaCipher::process_in_software(ByteView input, Output output) {
  const auto& process = operation_ == Operation::encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
  std::size_t size = output.size();
  if (process(parameters(), output.data(), &size, input.data(), input.size()) != 1) return std::nullopt;
  return size;
}

std::optional<std::size_t> RsaCipher::decrypt_on_token(ByteView input, Output message) {
  const std::size_t size = modulus_size();
  if (size > kLongestModulus) throw Error(Reason::unsupported, "RSA keys of this size");
  const int mode = padding();
  Block ciphertext;
  Block block;
  const auto place = std::span(ciphertext.bytes).first(size);
  put_ciphertext(input, std::get<pkcs11::RsaPublicKey>(key_->on_token()->public_key()).modulus, place);

  RsaDecryption decryption;
  if (mode == RSA_PKCS1_OAEP_PADDING) {
    Oaep wanted = oaep();
    if (wanted.hash->hash && wanted.mgf1->hash) {
      decryption.otherwise = {*wanted.hash->hash, *wanted.mgf1->hash, std::move(wanted.label)};
    }
  }
  const auto written = key_->perform(std::move(decryption), place, std::span(block.bytes).first(size));
  if (!written) return std::nullopt;
  const Wiped wiped{block};
  const ByteView result = std::span(block.bytes).first(*written);
  if (*written < size) {  // the token has taken the padding off
    std::copy(result.begin(), result.end(), message.begin());
    return written;
  }
  return unpad(mode, result, place, message);
}

std::optional<std::size_t> RsaCipher::unpad(int mode, ByteView block, ByteView ciphertext, Output message) {
  std::optional<std::size_t> size;
  switch (mode) {
    case RSA_PKCS1_WITH_TLS_PADDING:
      unpad_premaster(block, tls_versions(), message.first<kPremasterSize>(), context_.software());
      return kPremasterSize;
    case RSA_PKCS1_PADDING:
      if (implicit_rejection_)
        return unpad_pkcs1_or_substitute(block, ciphertext, message, context_.software());
      size = unpad_pkcs1(block, message);
      break;
    case RSA_PKCS1_OAEP_PADDING:
      size = unpad_oaep(block, oaep(), message, context_.software());
      break;
    case RSA_NO_PADDING:
      std::copy(block.begin(), block.end(), message.begin());
      return block.size();
    default:
      throw Error(Reason::unsupported, "this RSA padding; use pkcs1, oaep or none");
  }
  if (!size) context_.core().raise(Reason::software, "decryption: the padding is wrong");
  return size;
}

}  // namespace keystay::provider
