#include "native/keys/key_pair.h"

#include <array>
#include <span>
#include <utility>

#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_object.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

constexpr std::array<std::uint8_t, 3> kF4 = {0x01, 0x00, 0x01};  // 65537

// What an exchange is depends on the algorithm: RSA keys decrypt, EC keys derive, Edwards keys do neither,
// and Montgomery keys do nothing else.
bool exchanges(KeyUse use) { return use != KeyUse::sign; }
bool signs(KeyUse use, CK_KEY_TYPE type) { return use != KeyUse::exchange && type != pkcs11::kMontgomeryKey; }
bool decrypts(KeyUse use, CK_KEY_TYPE type) { return exchanges(use) && type == CKK_RSA; }
bool derives(KeyUse use, CK_KEY_TYPE type) {
  return type == pkcs11::kMontgomeryKey || (exchanges(use) && type == CKK_EC);
}

// A key that signs may recover just as well; of one that does not, some tokens allow it where it is not
// refused.
bool must_refuse_recovery(KeyUse use, CK_KEY_TYPE type) { return !signs(use, type); }

// What is not asked for is refused by name: tokens differ in what they allow by default. NSS softokn tries a
// new key by its halves, so that what one may do, the other may undo.
Template public_template(std::string_view label, KeyUse use, CK_KEY_TYPE type) {
  Template key;
  key.flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, false)
      .flag(CKA_VERIFY, signs(use, type))
      .flag(CKA_ENCRYPT, decrypts(use, type))
      .flag(CKA_WRAP, false)
      .text(CKA_LABEL, label);
  if (must_refuse_recovery(use, type)) key.flag(CKA_VERIFY_RECOVER, false);
  return key;
}

Template private_template(std::string_view label, KeyUse use, CK_KEY_TYPE type,
                          Extraction extraction = Extraction::never) {
  Template key;
  key.flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, extraction == Extraction::until_sealed)
      .flag(CKA_SIGN, signs(use, type))
      .flag(CKA_DECRYPT, decrypts(use, type))
      .flag(CKA_UNWRAP, false)
      .flag(CKA_DERIVE, derives(use, type))
      .text(CKA_LABEL, label);
  if (must_refuse_recovery(use, type)) key.flag(CKA_SIGN_RECOVER, false);
  return key;
}

ByteView oid(const pkcs11::Curve& curve) {
  return {reinterpret_cast<const std::uint8_t*>(curve.parameters.data()), curve.parameters.size()};
}

// PKCS #11 v3.0, section 2.3.10: tokens take Edwards and Montgomery curves by OID, by name, or both.
Bytes printable_name(const pkcs11::Curve& curve) {
  const std::string_view name = curve.name == "Ed25519" ? "edwards25519"
                                : curve.name == "Ed448" ? "edwards448"
                                                        : "curve25519";
  Bytes der = {0x13, static_cast<std::uint8_t>(name.size())};  // PrintableString
  der.insert(der.end(), name.begin(), name.end());
  return der;
}

struct Generate {
  Session& session;
  KeyUse use;
  Extraction extraction;
  std::string_view label;

  Session::KeyPair operator()(const RsaSpec& spec) const {
    return session.generate_key_pair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                                     std::move(public_template(label, use, CKK_RSA)
                                                   .number(CKA_MODULUS_BITS, spec.modulus_bits)
                                                   .bytes(CKA_PUBLIC_EXPONENT, kF4)),
                                     private_template(label, use, CKK_RSA, extraction));
  }

  Session::KeyPair operator()(const CurveSpec& spec) const {
    const CK_KEY_TYPE type = spec.curve->key_type;
    if (type == CKK_EC) return on_curve(CKM_EC_KEY_PAIR_GEN, CKK_EC, oid(*spec.curve));
    const auto mechanism =
        type == CKK_EC_EDWARDS ? CKM_EC_EDWARDS_KEY_PAIR_GEN : pkcs11::kMontgomeryKeyPairGen;
    try {
      return on_curve(mechanism, type, oid(*spec.curve));
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::session_lost || error.code() == CKR_MECHANISM_INVALID) throw;
      return on_curve(mechanism, type, printable_name(*spec.curve));
    }
  }

  Session::KeyPair on_curve(CK_MECHANISM_TYPE mechanism, CK_KEY_TYPE type, ByteView parameters) const {
    return session.generate_key_pair(
        mechanism, std::move(public_template(label, use, type).bytes(CKA_EC_PARAMS, parameters)),
        private_template(label, use, type, extraction));
  }
};

// In the order of SoftwareKey::private_half.
constexpr std::array<CK_ATTRIBUTE_TYPE, 6> kRsaPrivateHalf = {
    CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT};
constexpr std::array<CK_ATTRIBUTE_TYPE, 1> kCurvePrivateHalf = {CKA_VALUE};

// The attributes of a key object that make it this key.
struct Import {
  Template& object;

  void operator()(const pkcs11::RsaPublicKey& rsa) const {
    object.bytes(CKA_MODULUS, rsa.modulus).bytes(CKA_PUBLIC_EXPONENT, rsa.public_exponent);
  }
  void operator()(const auto& curve) const { object.bytes(CKA_EC_PARAMS, curve.parameters); }
};

// CKA_EC_POINT is the point in an OCTET STRING (section 2.3.3); the curves here have points of up to 133
// bytes.
Bytes octet_string(const Bytes& point) {
  Bytes der = {0x04};
  if (point.size() >= 0x80) der.push_back(0x81);
  der.push_back(static_cast<std::uint8_t>(point.size()));
  der.insert(der.end(), point.begin(), point.end());
  return der;
}

Template imported_public_key(const pkcs11::PublicKey& key, KeyUse use, std::string_view label) {
  const CK_KEY_TYPE type = pkcs11::key_type(key);
  Template object = public_template(label, use, type);
  object.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, type);
  std::visit(Import{object}, key);
  if (const auto* ec = std::get_if<pkcs11::EcPublicKey>(&key)) {
    object.bytes(CKA_EC_POINT, octet_string(ec->point));
  } else if (const auto* edwards = std::get_if<pkcs11::EdwardsPublicKey>(&key)) {
    object.bytes(CKA_EC_POINT, octet_string(edwards->point));
  }
  return object;
}

Template imported_private_key(const SoftwareKey& key, KeyUse use, std::string_view label) {
  const CK_KEY_TYPE type = pkcs11::key_type(key.public_key);
  Template object = private_template(label, use, type);
  object.number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, type);
  std::visit(Import{object}, key.public_key);
  using Types = std::span<const CK_ATTRIBUTE_TYPE>;
  const Types types = type == CKK_RSA ? Types(kRsaPrivateHalf) : Types(kCurvePrivateHalf);
  if (key.private_half.size() != types.size()) {
    throw Error(ErrorClass::client, "the private half of the key is not complete");
  }
  for (std::size_t i = 0; i < types.size(); ++i) object.bytes(types[i], key.private_half[i]);
  return object;
}

// Sees that the token has both halves under the label that they were made with.
void require_stored(Session& session, const Session::KeyPair& pair, const char* function,
                    std::string_view label) {
  Template search;
  search.text(CKA_LABEL, label);
  keys::require_stored(session, {pair.public_key, pair.private_key}, std::move(search), function);
}

void require_new_id(Session& session, ByteView id) {
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.bytes(CKA_ID, id);
  if (session.find_token_objects(std::move(search)).empty()) return;
  throw Error(ErrorClass::client,
              "a key on the token has the CKA_ID " + pkcs11::hex(id) + " of the new one already");
}

void require_sealed(Session& session, CK_OBJECT_HANDLE private_key) {
  constexpr CK_ATTRIBUTE_TYPE kExtractable[] = {CKA_EXTRACTABLE};
  if (session.attributes(private_key, kExtractable).flag(CKA_EXTRACTABLE) == false) return;
  throw Error(ErrorClass::server, "the token does not say that the private key is not extractable");
}

// Gives both halves one CKA_ID.
void identify(Session& session, const Session::KeyPair& pair, ByteView id) {
  store_id(session, pair.public_key, id);
  store_id(session, pair.private_key, id);
}

// The CKA_ID that every program can compute.
Bytes computed_id(Session& session, const Session::KeyPair& pair, const Pkix& pkix) {
  const auto public_key = public_key_of(session, pkix, pair.public_key);
  if (!public_key)
    throw Error(ErrorClass::server, "the token does not show the public key that it has generated");
  return pkix.key_identifier(*public_key);
}

}  // namespace

void destroy_labelled(Session& session, std::string_view unfinished) {
  for (const CK_OBJECT_CLASS object_class : {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY}) {
    Template search = objects_of(object_class);
    search.text(CKA_LABEL, unfinished);
    for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
      destroy_if_there(session, object);
  }
}

Bytes generate_key_pair(Session& session, const KeyRequest& request, const Pkix& pkix,
                        std::string_view unfinished) {
  MadeObjects made(session);
  const Session::KeyPair pair =
      std::visit(Generate{session, request.use, request.extraction, unfinished}, request.spec);
  made.add(pair.private_key);
  made.add(pair.public_key);
  require_stored(session, pair, "C_GenerateKeyPair", unfinished);
  const Bytes computed = computed_id(session, pair, pkix);  // also sees that it shows the public key
  Bytes id = request.id.empty() ? computed : request.id;
  identify(session, pair, id);
  made.keep();
  return id;
}

Bytes import_key_pair(Session& session, const SoftwareKey& key, KeyUse use, const Pkix& pkix,
                      std::string_view unfinished) {
  MadeObjects made(session);
  Session::KeyPair pair{};
  pair.private_key = made.add(session.create_object(imported_private_key(key, use, unfinished)));
  pair.public_key = made.add(session.create_object(imported_public_key(key.public_key, use, unfinished)));
  require_stored(session, pair, "C_CreateObject", unfinished);
  // The private half first: as long as it has no CKA_ID, the label joins both, so that another import of this
  // key finds what a killed one has left. A public half that had it would pass for that of the next import.
  Bytes id = computed_id(session, pair, pkix);
  store_id(session, pair.private_key, id);
  store_id(session, pair.public_key, id);
  made.keep();
  return id;
}

void unwrap_key_pair(Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE unwrapping_key,
                     const WrappedKeyPair& pair, std::string_view unfinished) {
  destroy_labelled(session, unfinished);
  require_new_id(session, pair.id);
  const CK_KEY_TYPE type = pkcs11::key_type(pair.public_key);
  Template private_key = private_template(unfinished, pair.use, type);
  private_key.number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, type).bytes(CKA_ID, pair.id);
  MadeObjects made(session);
  Session::KeyPair stored{};
  stored.private_key = made.add(
      session.unwrap_key({mechanism, nullptr, 0}, unwrapping_key, pair.wrapped, std::move(private_key)));
  require_sealed(session, stored.private_key);
  Template public_key = imported_public_key(pair.public_key, pair.use, unfinished);
  public_key.bytes(CKA_ID, pair.id);
  stored.public_key = made.add(session.create_object(std::move(public_key)));
  require_stored(session, stored, "C_UnwrapKey", unfinished);
  made.keep();
}

void seal_private_key(Session& session, std::string_view unfinished) {
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.text(CKA_LABEL, unfinished);
  const auto keys = session.find_token_objects(std::move(search));
  if (keys.size() != 1) throw Error(ErrorClass::server, "the private key is not there any more");
  session.set_attributes(keys.front(), std::move(Template().flag(CKA_EXTRACTABLE, false)));
  require_sealed(session, keys.front());
}

}  // namespace keystay::keys
