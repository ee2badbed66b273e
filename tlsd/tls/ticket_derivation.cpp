#include "tlsd/tls/ticket_derivation.h"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "tlsd/tls/certificate.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using Bytes = std::vector<unsigned char>;
using NumberHandle = std::unique_ptr<BIGNUM, FreedBy<BN_free>>;
using NumberContextHandle = std::unique_ptr<BN_CTX, FreedBy<BN_CTX_free>>;
using GroupHandle = std::unique_ptr<EC_GROUP, FreedBy<EC_GROUP_free>>;
using PointHandle = std::unique_ptr<EC_POINT, FreedBy<EC_POINT_free>>;
using DigestHandle = std::unique_ptr<EVP_MD, FreedBy<EVP_MD_free>>;
using KeyContextHandle = std::unique_ptr<EVP_PKEY_CTX, FreedBy<EVP_PKEY_CTX_free>>;
using KdfHandle = std::unique_ptr<EVP_KDF, FreedBy<EVP_KDF_free>>;
using KdfContextHandle = std::unique_ptr<EVP_KDF_CTX, FreedBy<EVP_KDF_CTX_free>>;
using ParamBuilderHandle = std::unique_ptr<OSSL_PARAM_BLD, FreedBy<OSSL_PARAM_BLD_free>>;
using ParamHandle = std::unique_ptr<OSSL_PARAM, FreedBy<OSSL_PARAM_free>>;

constexpr std::string_view kPointDomain = "keystay-tlsd session tickets, version 1, point";
constexpr std::string_view kKeyDomain = "keystay-tlsd session tickets, version 1, key";
constexpr char kX25519[] = "X25519";
constexpr std::size_t kX25519Size = 32;
constexpr std::size_t kSurplus = 16;  // RFC 9380, section 5.1: bytes that make the remainder's bias vanish
constexpr char kSoftware[] = "provider=default";

void require(bool fine, const char* what) {
  if (!fine) throw openssl_error(std::string("ticket key: ") + what);
}

void append(Bytes& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back(0);
}

void append(Bytes& bytes, std::int64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> shift));
}

// No two meanings have the same bytes: texts end with a zero, numbers have eight.
Bytes label(std::string_view domain, std::string_view curve, const TicketPeriod& period) {
  Bytes bytes;
  append(bytes, domain);
  append(bytes, curve);
  append(bytes, period.length.count());
  append(bytes, period.number);
  return bytes;
}

Bytes shake256(OSSL_LIB_CTX* library, const Bytes& input, std::size_t size) {
  const DigestHandle digest(EVP_MD_fetch(library, "SHAKE256", nullptr));
  const DigestContextHandle context(EVP_MD_CTX_new());
  Bytes result(size);
  require(digest && context && EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), input.data(), input.size()) == 1 &&
              EVP_DigestFinalXOF(context.get(), result.data(), result.size()) == 1,
          "SHAKE256");
  return result;
}

std::string curve_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, kX25519) == 1) return kX25519;
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) {
    throw CryptoError("tickets need a key that agrees by ECDH: EC on P-256, P-384 or P-521, or X25519");
  }
  const int nid =
      OBJ_txt2nid(name.data()) != NID_undef ? OBJ_txt2nid(name.data()) : EC_curve_nist2nid(name.data());
  return nid != NID_undef ? OBJ_nid2sn(nid) : name.data();
}

GroupHandle group_of(OSSL_LIB_CTX* library, const std::string& curve) {
  GroupHandle group(EC_GROUP_new_by_curve_name_ex(library, nullptr, OBJ_txt2nid(curve.c_str())));
  if (!group || EC_GROUP_get_field_type(group.get()) != NID_X9_62_prime_field ||
      BN_is_one(EC_GROUP_get0_cofactor(group.get())) != 1) {
    throw CryptoError("tickets cannot be by a key on the curve " + curve + ": use P-256, P-384 or P-521");
  }
  return group;
}

// The first hash that is the x-coordinate of a point; half of them are. What is hashed is public, so the
// number of tries may be. The cofactor is 1: the point is of the group that the key is of.
Bytes hashed_point(OSSL_LIB_CTX* library, const EC_GROUP* group, Bytes input) {
  const NumberContextHandle context(BN_CTX_new_ex(library));
  const NumberHandle prime(BN_new());
  const NumberHandle x(BN_new());
  const PointHandle point(EC_POINT_new(group));
  require(context && prime && x && point &&
              EC_GROUP_get_curve(group, prime.get(), nullptr, nullptr, context.get()) == 1,
          "EC_GROUP_get_curve");
  const auto size = static_cast<std::size_t>(BN_num_bytes(prime.get())) + kSurplus;
  input.push_back(0);
  for (;; ++input.back()) {
    const Bytes hash = shake256(library, input, size + 1);
    require(BN_bin2bn(hash.data(), static_cast<int>(size), x.get()) != nullptr &&
                BN_nnmod(x.get(), x.get(), prime.get(), context.get()) == 1,
            "BN_nnmod");
    ERR_set_mark();
    const bool found =
        EC_POINT_set_compressed_coordinates(group, point.get(), x.get(), hash.back() & 1, context.get()) == 1;
    ERR_pop_to_mark();
    if (found) break;
    require(input.back() != 0xFF, "no point");  // once in 2^256 periods
  }
  Bytes encoded(1 + 2 * static_cast<std::size_t>(BN_num_bytes(prime.get())));
  require(EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                             encoded.size(), context.get()) == encoded.size(),
          "EC_POINT_point2oct");
  return encoded;
}

KeyHandle ec_public_key(OSSL_LIB_CTX* library, const std::string& curve, const Bytes& point) {
  const ParamBuilderHandle builder(OSSL_PARAM_BLD_new());
  const KeyContextHandle context(EVP_PKEY_CTX_new_from_name(library, "EC", kSoftware));
  require(
      builder && context &&
          OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) == 1 &&
          OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                           point.size()) == 1,
      "OSSL_PARAM_BLD");
  const ParamHandle parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  EVP_PKEY* key = nullptr;
  require(parameters && EVP_PKEY_fromdata_init(context.get()) == 1 &&
              EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1,
          "EVP_PKEY_fromdata");
  return KeyHandle(key);
}

// Wiped when it goes.
class Secret final {
 public:
  explicit Secret(std::size_t size) : bytes_(size) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  [[nodiscard]] Bytes& bytes() noexcept { return bytes_; }

 private:
  Bytes bytes_;
};

std::size_t agree(OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY* peer, Secret& secret) {
  ERR_clear_error();
  const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
  std::size_t size = secret.bytes().size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), secret.bytes().data(), &size) != 1) {
    throw openssl_error("the key cannot agree by ECDH (it needs CKA_DERIVE, and the token CKM_ECDH1_DERIVE)");
  }
  return size;
}

void hkdf(OSSL_LIB_CTX* library, std::span<unsigned char> secret, Bytes info, TicketKey& result) {
  const KdfHandle kdf(EVP_KDF_fetch(library, "HKDF", nullptr));
  const KdfContextHandle context(EVP_KDF_CTX_new(kdf.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  require(
      context && EVP_KDF_derive(context.get(), result.bytes().data(), result.bytes().size(), parameters) == 1,
      "HKDF");
}

}  // namespace

KeyHandle hashed_public_key(OSSL_LIB_CTX* library, const EVP_PKEY* key, const TicketPeriod& period) {
  const std::string curve = curve_of(key);
  const Bytes input = label(kPointDomain, curve, period);
  if (curve != kX25519) {
    const GroupHandle group = group_of(library, curve);
    return ec_public_key(library, curve, hashed_point(library, group.get(), input));
  }
  // Of the curve or of its twist; both are hard (RFC 7748, section 7).
  const Bytes coordinate = shake256(library, input, kX25519Size);
  KeyHandle result(
      EVP_PKEY_new_raw_public_key_ex(library, kX25519, kSoftware, coordinate.data(), coordinate.size()));
  require(result != nullptr, "EVP_PKEY_new_raw_public_key");
  return result;
}

void derive_ticket_key(OSSL_LIB_CTX* library, const std::string& name, const TicketPeriod& period,
                       TicketKey& result) {
  const KeyHandle key = load_private_key(library, name);
  const KeyHandle peer = hashed_public_key(library, key.get(), period);
  Secret secret((static_cast<std::size_t>(EVP_PKEY_get_bits(key.get())) + 7) / 8);
  const std::size_t size = agree(library, key.get(), peer.get(), secret);
  hkdf(library, std::span(secret.bytes()).first(size), label(kKeyDomain, curve_of(key.get()), period),
       result);
}

}  // namespace keystay::tlsd
