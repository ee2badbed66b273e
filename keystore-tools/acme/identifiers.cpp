#include "keystore-tools/acme/identifiers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <arpa/inet.h>

#include "keystore-tools/failure.h"
#include "native/x509/extension.h"
#include "native/x509/openssl_types.h"

namespace keystay::tools::acme {
namespace {

using GeneralNames = x509::Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string lower_case(const ASN1_STRING* string) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                   static_cast<std::size_t>(ASN1_STRING_length(string)));
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Identifier dns_name(const ASN1_STRING* string) {
  std::string name = lower_case(string);
  const bool is_name = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
  });
  if (!is_name)
    throw UsageError("\"" + quoted_from_server(name) +
                     "\" is no DNS name; write one of another script in its ASCII form: xn--…");
  return {IdentifierType::dns, std::move(name)};
}

Identifier address(const ASN1_STRING* string) {
  const int family = ASN1_STRING_length(string) == 4 ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text;
  if (!::inet_ntop(family, ASN1_STRING_get0_data(string), text.data(), text.size()))
    throw UsageError("an ip: of -ext san=… is no address");
  return {IdentifierType::ip, text.data()};
}

Identifier identifier_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return dns_name(name.d.dNSName);
  if (name.type == GEN_IPADD) return address(name.d.iPAddress);
  throw UsageError("ACME certifies DNS names and IP addresses only; write -ext san=dns:…,ip:…");
}

}  // namespace

std::vector<Identifier> identifiers_of(std::span<const std::string> extensions) {
  std::vector<Identifier> identifiers;
  for (const std::string& text : extensions) {
    const x509::X509Extension extension = argument([&] { return x509::parse_extension(text); });
    if (OBJ_obj2nid(X509_EXTENSION_get_object(extension.get())) != NID_subject_alt_name) continue;
    const GeneralNames names(static_cast<GENERAL_NAMES*>(X509V3_EXT_d2i(extension.get())));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
      Identifier identifier = identifier_of(*sk_GENERAL_NAME_value(names.get(), i));
      if (std::ranges::find(identifiers, identifier) == identifiers.end())
        identifiers.push_back(std::move(identifier));
    }
  }
  return identifiers;
}

}  // namespace keystay::tools::acme
