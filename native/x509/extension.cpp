#include "native/x509/extension.h"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/conf.h>
#include <strings.h>

#include "native/pkcs11/cryptoki.h"
#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_value.h"

namespace keystay::x509 {
namespace {

struct Type {
  const char* name;
  const char* short_name;
  int nid;
  const char* example;
  std::string (*value)(std::string_view text, std::string_view value);  // in libcrypto's words
};

constexpr std::array kTypes = std::to_array<Type>({
    {"SubjectAlternativeName", "san", NID_subject_alt_name, "san=dns:example.org,ip:127.0.0.1",
     general_names},
    {"BasicConstraints", "bc", NID_basic_constraints, "bc=ca:true,pathlen:0", basic_constraints},
    {"KeyUsage", "ku", NID_key_usage, "ku=digitalSignature,keyEncipherment", key_usages},
    {"ExtendedKeyUsage", "eku", NID_ext_key_usage, "eku=serverAuth,clientAuth", extended_key_usages},
    {"IssuerAlternativeName", "ian", NID_issuer_alt_name, "ian=uri:https://ca.example.org/", general_names},
    {"AuthorityInfoAccess", "aia", NID_info_access,
     "aia=ocsp:uri:http://ocsp.example.org/,caIssuers:uri:http://ca.example.org/ca.crt", access_descriptions},
    {"SubjectInfoAccess", "sia", NID_sinfo_access, "sia=caRepository:uri:http://ca.example.org/certs/",
     access_descriptions},
    {"CRLDistributionPoints", "crl", NID_crl_distribution_points, "crl=uri:http://ca.example.org/ca.crl",
     general_names},
});

constexpr std::array kCriticality = std::to_array<Word>({{"critical", "critical,"}, {"non-critical", ""}});

// By its name, the beginning of that, its humps or its short name.
const Type* find_type(const std::string& name) {
  std::vector<Word> words;
  for (const Type& type : kTypes) {
    if (::strcasecmp(type.short_name, name.c_str()) == 0) return &type;
    words.push_back({type.name, ""});
  }
  const Word* found = find_word(name, words);
  return found == nullptr ? nullptr : &kTypes.at(static_cast<std::size_t>(found - words.data()));
}

[[noreturn]] void fail_unknown(std::string_view text) {
  std::string examples;
  for (const Type& type : kTypes) examples += std::string(examples.empty() ? "" : "; ") + type.example;
  fail_extension(text,
                 "unknown; there are " + examples + "; and OID=HEX, like 1.3.6.1.5.5.7.1.24=3003020105");
}

// "name", "name:critical".
struct Head {
  std::string name;
  bool critical = false;
};

Head head_of(std::string_view text) {
  Head head{.name = std::string(text.substr(0, text.find('=')))};
  const std::size_t colon = head.name.find(':');
  if (colon == std::string::npos) return head;
  const Word* word = find_word(head.name.substr(colon + 1), kCriticality);
  if (word == nullptr) fail_extension(text, "only \":critical\" may follow the name");
  head.critical = *word->openssl != '\0';
  head.name.resize(colon);
  return head;
}

// Hexadecimal, with colons or blanks between the bytes if one likes.
pkcs11::Bytes hexadecimal(std::string_view text, std::string_view value) {
  pkcs11::Bytes bytes;
  int digits = 0;
  for (const char c : value) {
    if (c == ':' || c == ' ') continue;
    const int digit = OPENSSL_hexchar2int(static_cast<unsigned char>(c));
    if (digit < 0) fail_extension(text, "the value of an OID is written in hexadecimal");
    if (digits++ % 2 == 0)
      bytes.push_back(static_cast<std::uint8_t>(digit << 4));
    else
      bytes.back() = static_cast<std::uint8_t>(bytes.back() | digit);
  }
  if (digits % 2 != 0) fail_extension(text, "has an odd number of hexadecimal digits");
  return bytes;
}

X509Extension from_bytes(std::string_view text, const Head& head, std::string_view value) {
  const pkcs11::Bytes bytes = hexadecimal(text, value);
  const Asn1Object oid(OBJ_txt2obj(head.name.c_str(), 1));
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  if (!oid || !octets ||
      ASN1_OCTET_STRING_set(octets.get(), bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw openssl_error("cannot make the extension \"" + std::string(text) + "\"");
  return X509Extension(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), head.critical ? 1 : 0, octets.get()));
}

X509Extension from_words(int nid, const std::string& openssl_text) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  return X509Extension(X509V3_EXT_conf_nid(nullptr, &context, nid, openssl_text.c_str()));
}

// RFC 5280, section 4.2.1.13: keytool makes one DistributionPoint of all names, libcrypto one of each.
X509Extension one_distribution_point(const Head& head, const std::string& names) {
  const X509Extension list = from_words(NID_subject_alt_name, names);
  const Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(sk_DIST_POINT_new_null());
  Owned<DIST_POINT, DIST_POINT_free> point(DIST_POINT_new());
  if (!list || !points || !point) return nullptr;
  point->distpoint = DIST_POINT_NAME_new();
  if (point->distpoint == nullptr) return nullptr;
  point->distpoint->type = 0;  // fullName
  point->distpoint->name.fullname = static_cast<GENERAL_NAMES*>(X509V3_EXT_d2i(list.get()));
  if (sk_DIST_POINT_push(points.get(), point.get()) <= 0) return nullptr;
  static_cast<void>(point.release());  // the list owns it now
  return X509Extension(X509V3_EXT_i2d(NID_crl_distribution_points, head.critical ? 1 : 0, points.get()));
}

X509Extension of_type(const Type& type, std::string_view text, const Head& head, std::string_view value) {
  if (value.empty() && type.nid != NID_basic_constraints)
    fail_extension(text, std::string("has no value; write ") + type.example);
  const bool is_access = type.nid == NID_info_access || type.nid == NID_sinfo_access;
  if (head.critical && is_access)  // RFC 5280, section 4.2.2
    fail_extension(text, "this type cannot be critical");
  const std::string words = type.value(text, value);
  X509Extension extension = type.nid == NID_crl_distribution_points
                                ? one_distribution_point(head, words)
                                : from_words(type.nid, (head.critical ? "critical," : "") + words);
  if (!extension) throw openssl_error("extension \"" + std::string(text) + "\": write " + type.example);
  return extension;
}

}  // namespace

X509Extension parse_extension(std::string_view text) {
  const ErrorsSetAside others;
  const std::size_t equals = text.find('=');
  const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  const Head head = head_of(text);
  if (const Type* type = find_type(head.name)) return of_type(*type, text, head, value);
  if (!is_oid(head.name)) fail_unknown(text);
  X509Extension extension = from_bytes(text, head, value);
  if (!extension) throw openssl_error("extension \"" + std::string(text) + "\"");
  return extension;
}

Asn1Object extension_oid(std::string_view text, const std::string& name) {
  if (const Type* type = find_type(name)) return Asn1Object(OBJ_dup(OBJ_nid2obj(type->nid)));
  if (!is_oid(name)) fail_unknown(text);
  return Asn1Object(OBJ_txt2obj(name.c_str(), 1));
}

std::optional<bool> criticality(std::string_view text, const std::string& word) {
  if (word.empty()) return std::nullopt;
  const Word* found = find_word(word, kCriticality);
  if (found == nullptr) fail_extension(text, "expected \":critical\" or \":non-critical\" after a name");
  return *found->openssl != '\0';
}

}  // namespace keystay::x509
