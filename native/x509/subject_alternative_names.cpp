#include "native/x509/subject_alternative_names.h"

#include <array>
#include <string_view>

#include <arpa/inet.h>

#include "native/x509/error.h"
#include "native/x509/openssl_types.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using GeneralNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_of(const ASN1_OCTET_STRING* address) {
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text;
  const bool has_length = ASN1_STRING_length(address) == 4 || ASN1_STRING_length(address) == 16;
  if (!has_length || !::inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size()))
    throw Error(
        "the certificate has a subjectAltName that is no IP address; write the names with -ext san=…");
  return text.data();
}

std::string oid_of(const ASN1_OBJECT* object) {
  std::array<char, 128> text;
  static_cast<void>(OBJ_obj2txt(text.data(), text.size(), object, 1));
  return text.data();
}

std::string name_of(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return "dns:" + text_of(name.d.dNSName);
    case GEN_IPADD:
      return "ip:" + address_of(name.d.iPAddress);
    case GEN_URI:
      return "uri:" + text_of(name.d.uniformResourceIdentifier);
    case GEN_EMAIL:
      return "email:" + text_of(name.d.rfc822Name);
    case GEN_RID:
      return "oid:" + oid_of(name.d.registeredID);
    default:
      throw Error(
          "the certificate has a subjectAltName of a kind that -ext does not have (otherName, "
          "directoryName); write "
          "the names with -ext san=…");
  }
}

}  // namespace

std::optional<std::string> subject_alternative_names(const keys::Certificate& certificate) {
  const X509Certificate x509 = parse_x509(certificate.der, nullptr);
  if (!x509) throw Error("the certificate cannot be read");
  int critical = 0;
  const GeneralNames names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509.get(), NID_subject_alt_name, &critical, nullptr)));
  if (!names || sk_GENERAL_NAME_num(names.get()) <= 0) return std::nullopt;
  std::string text;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    text += (i == 0 ? "" : ",") + name_of(*sk_GENERAL_NAME_value(names.get(), i));
  return (critical > 0 ? "san:critical=" : "san=") + text;
}

}  // namespace keystay::x509
