#include "tests/bench/many_aliases.h"

#include <optional>
#include <utility>

#include <openssl/x509.h>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/key_object.h"
#include "native/pkcs11/session.h"
#include "native/x509/openssl_pkix.h"
#include "native/x509/public_key.h"
#include "tests/bench/openssl_error.h"
#include "tests/bench/openssl_pointer.h"

namespace keystay::bench {
namespace {

using pkcs11::Bytes;
using pkcs11::Template;

constexpr long kDay = 24 * 60 * 60;

Template named(CK_OBJECT_CLASS object_class, const std::string& alias) {
  Template object;
  object.number(CKA_CLASS, object_class).flag(CKA_TOKEN, true).text(CKA_LABEL, alias);
  return object;
}

pkcs11::Session::KeyPair generate(pkcs11::Session& session, const std::string& alias) {
  const std::string_view p256 = pkcs11::find_curve("secp256r1")->parameters;
  Template public_key = named(CKO_PUBLIC_KEY, alias);
  public_key.bytes(CKA_EC_PARAMS, {reinterpret_cast<const std::uint8_t*>(p256.data()), p256.size()});
  Template private_key = named(CKO_PRIVATE_KEY, alias);
  private_key.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_SIGN, true);
  return session.generate_key_pair(CKM_EC_KEY_PAIR_GEN, std::move(public_key), std::move(private_key));
}

bool add_name(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                                    0) == 1;
}

// Signed by a key in software, whose certificate nobody asks for.
Bytes certificate(const std::string& alias, EVP_PKEY* key, EVP_PKEY* issuer) {
  const OpenSslPointer<X509> made(X509_new());
  const bool signed_ = add_name(X509_get_subject_name(made.get()), alias) &&
                       add_name(X509_get_issuer_name(made.get()), "Issuer of many") &&
                       X509_gmtime_adj(X509_getm_notBefore(made.get()), 0) &&
                       X509_gmtime_adj(X509_getm_notAfter(made.get()), kDay) &&
                       X509_set_pubkey(made.get(), key) == 1 &&
                       X509_sign(made.get(), issuer, EVP_sha256()) > 0;
  require(signed_, "X509_sign");
  Bytes der(static_cast<std::size_t>(i2d_X509(made.get(), nullptr)));
  std::uint8_t* end = der.data();
  i2d_X509(made.get(), &end);
  return der;
}

void add_alias(pkcs11::Session& session, const std::string& alias, EVP_PKEY* issuer) {
  const x509::OpenSslPkix pkix;
  const pkcs11::Session::KeyPair pair = generate(session, alias);
  const pkcs11::PublicKey key = pkcs11::public_key_of(session, pair.public_key).value();
  const Bytes id = pkix.key_identifier(key);
  for (const CK_OBJECT_HANDLE object : {pair.public_key, pair.private_key})
    session.set_attributes(object, std::move(Template().bytes(CKA_ID, id)));

  const x509::EvpPkey evp = x509::to_evp_pkey(key, nullptr);
  const keys::Certificate decoded = pkix.decode(certificate(alias, evp.get(), issuer)).value();
  Template leaf = named(CKO_CERTIFICATE, alias);
  leaf.number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .bytes(CKA_ID, id)
      .bytes(CKA_SUBJECT, decoded.subject)
      .bytes(CKA_ISSUER, decoded.issuer)
      .bytes(CKA_SERIAL_NUMBER, decoded.serial_number)
      .bytes(CKA_VALUE, decoded.der);
  session.create_object(std::move(leaf));
}

}  // namespace

std::vector<std::string> add_aliases(keys::KeySource& token, std::size_t count) {
  const OpenSslPointer<EVP_PKEY> issuer(EVP_EC_gen("P-256"));
  require(issuer != nullptr, "EVP_EC_gen");
  std::vector<std::string> names;
  token.with_rw_session([&](pkcs11::Session& session) {
    while (names.size() < count) {
      const std::string alias = "one-of-many-" + std::to_string(names.size());
      add_alias(session, alias, issuer.get());
      names.push_back(alias);
    }
  });
  return names;
}

}  // namespace keystay::bench
