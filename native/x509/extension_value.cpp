#include "native/x509/extension_value.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {
namespace {

constexpr std::array kNameForms =
    std::to_array<Word>({{"dns", "DNS"}, {"ip", "IP"}, {"uri", "URI"}, {"email", "email"}, {"oid", "RID"}});

constexpr std::array kKeyUsages = std::to_array<Word>({{"digitalSignature", "digitalSignature"},
                                                       {"nonRepudiation", "nonRepudiation"},
                                                       {"contentCommitment", "nonRepudiation"},
                                                       {"keyEncipherment", "keyEncipherment"},
                                                       {"dataEncipherment", "dataEncipherment"},
                                                       {"keyAgreement", "keyAgreement"},
                                                       {"keyCertSign", "keyCertSign"},
                                                       {"cRLSign", "cRLSign"},
                                                       {"encipherOnly", "encipherOnly"},
                                                       {"decipherOnly", "decipherOnly"}});

constexpr std::array kExtendedKeyUsages =
    std::to_array<Word>({{"serverAuth", "serverAuth"},
                         {"clientAuth", "clientAuth"},
                         {"codeSigning", "codeSigning"},
                         {"emailProtection", "emailProtection"},
                         {"timeStamping", "timeStamping"},
                         {"OCSPSigning", "OCSPSigning"},
                         {"anyExtendedKeyUsage", "anyExtendedKeyUsage"}});

// RFC 5280, sections 4.2.2.1 and 4.2.2.2.
constexpr std::array kAccessMethods = std::to_array<Word>({{"ocsp", "1.3.6.1.5.5.7.48.1"},
                                                           {"caIssuers", "1.3.6.1.5.5.7.48.2"},
                                                           {"timeStamping", "1.3.6.1.5.5.7.48.3"},
                                                           {"caRepository", "1.3.6.1.5.5.7.48.5"}});

}  // namespace

void fail_extension(std::string_view text, const std::string& what) {
  throw Error("extension \"" + std::string(text) + "\": " + what);
}

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

namespace {

// keytool lets the humps of a word stand for it: "dig", "dS" and "ds" are digitalSignature.
bool abbreviates(const std::string& text, std::string_view word) {
  if (text.empty()) return false;
  if (::strncasecmp(text.c_str(), word.data(), text.size()) == 0) return true;
  std::string humps(1, word.front());
  std::ranges::copy_if(word.substr(1), std::back_inserter(humps),
                       [](char c) { return c >= 'A' && c <= 'Z'; });
  return ::strcasecmp(text.c_str(), humps.c_str()) == 0;
}

}  // namespace

const Word* find_word(const std::string& word, std::span<const Word> words) {
  const auto exact =
      std::ranges::find_if(words, [&](const Word& w) { return ::strcasecmp(w.keytool, word.c_str()) == 0; });
  if (exact != words.end()) return &*exact;
  const auto matches = [&](const Word& w) { return abbreviates(word, w.keytool); };
  if (std::ranges::count_if(words, matches) != 1) return nullptr;
  return &*std::ranges::find_if(words, matches);
}

const Word& require_word(std::string_view text, const std::string& word, std::span<const Word> words) {
  if (const Word* found = find_word(word, words)) return *found;
  std::string known;
  for (const Word& w : words) known += std::string(known.empty() ? "" : ", ") + w.keytool;
  fail_extension(text, "\"" + word + "\" is not one of " + known);
}

// X.660: the first arc is 0, 1 or 2, and the second one of 0 and 1 is below 40. libcrypto knows that, and
// does not mind an arc without digits.
bool is_oid(const std::string& text) {
  if (text.starts_with('.') || text.ends_with('.') || text.find("..") != std::string::npos) return false;
  const ErrorMark refusals_of_others;
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(text.c_str(), 1));
  return object != nullptr;
}

namespace {

// RFC 1034, section 3.5, with the underscore that some use, and a wildcard.
bool is_dns_name(const std::string& name) {
  std::size_t label = 0;
  for (const char c : name) {
    const bool allowed = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '*';
    if (c == '.' ? label == 0 : !allowed || ++label > 63) return false;
    if (c == '.') label = 0;
  }
  return label > 0 && name.size() <= 253;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// RFC 5280, section 4.2.1.6: a Mailbox, local-part@domain. To libcrypto, "copy" and "move" are no addresses.
bool is_mailbox(const std::string& text) {
  const std::size_t at = text.rfind('@');
  return at != std::string::npos && at > 0 && is_dns_name(text.substr(at + 1));
}

// RFC 3986, section 3.1, and RFC 5280: an absolute URI.
bool has_scheme(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon != std::string::npos && colon + 1 < text.size() &&
         std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
         });
}

struct NameSyntax {
  std::string_view form;  // libcrypto's word
  bool (*holds)(const std::string&);
  const char* what;
};
constexpr std::array kNameSyntaxes = {
    NameSyntax{"DNS", is_dns_name, "no DNS name"},
    NameSyntax{"IP", is_address, "no IP address"},
    NameSyntax{"URI", has_scheme, "no URI with a scheme, like https://example.org/"},
    NameSyntax{"email", is_mailbox, "no e-mail address"},
    NameSyntax{"RID", is_oid, "no object identifier, like 1.3.6.1.4.1.99999"},
};

void require_syntax(std::string_view text, std::string_view form, const std::string& name) {
  for (const NameSyntax& syntax : kNameSyntaxes) {
    if (syntax.form == form && !syntax.holds(name))
      fail_extension(text, "\"" + name + "\" is " + syntax.what);
  }
}

// One name, "dns:example.org": in libcrypto's words, "DNS:example.org".
std::string general_name(std::string_view text, const std::string& part) {
  const std::size_t colon = part.find(':');
  if (colon == std::string::npos || colon + 1 == part.size())
    fail_extension(text, "expected dns:NAME, ip:ADDRESS, uri:… in a list");
  const char* form = require_word(text, part.substr(0, colon), kNameForms).openssl;
  // RFC 5280, section 4.2.1.6: dNSName, rfc822Name and URI are IA5Strings.
  if (std::ranges::any_of(part, [](unsigned char c) { return c < 0x20 || c >= 0x7F; })) {
    fail_extension(text, "only ASCII is allowed here; write an international domain name as xn--…");
  }
  const std::string name = part.substr(colon + 1);
  require_syntax(text, form, name);
  return std::string(form) + ":" + name;
}

std::string usages(std::string_view text, std::string_view value, std::span<const Word> words) {
  std::string result;
  for (const std::string& part : split_list(value)) {
    const bool oid = !part.empty() && part.find_first_not_of("0123456789.") == std::string::npos;
    if (oid && !is_oid(part))
      fail_extension(text, "\"" + part + "\" is no object identifier, like 1.3.6.1.5.5.7.3.1");
    result +=
        (result.empty() ? "" : ",") + (oid ? part : std::string(require_word(text, part, words).openssl));
  }
  return result;
}

}  // namespace

std::string general_names(std::string_view text, std::string_view value) {
  std::string result;
  for (const std::string& part : split_list(value))
    result += (result.empty() ? "" : ",") + general_name(text, part);
  return result;
}

std::string key_usages(std::string_view text, std::string_view value) {
  return usages(text, value, kKeyUsages);
}

std::string extended_key_usages(std::string_view text, std::string_view value) {
  return usages(text, value, kExtendedKeyUsages);
}

// keytool: nothing is a CA, a bare number is a CA with that path length.
std::string basic_constraints(std::string_view text, std::string_view value) {
  if (value.empty()) return "CA:TRUE";
  if (value.find_first_not_of("0123456789") == std::string_view::npos)
    return "CA:TRUE,pathlen:" + std::string(value);
  std::string result;
  for (const std::string& part : split_list(value)) {
    const bool ca = ::strncasecmp(part.c_str(), "ca:", 3) == 0;
    if (!ca && ::strncasecmp(part.c_str(), "pathlen:", 8) != 0)
      fail_extension(text, "expected ca:true, ca:false or pathlen:NUMBER");
    if (!ca && (part.size() == 8 || part.size() > 11 ||
                part.find_first_not_of("0123456789", 8) != std::string::npos)) {
      fail_extension(text, "expected a number of at most three digits after pathlen:");
    }
    result += (result.empty() ? "" : ",") + (ca ? "CA:" + part.substr(3) : part);
  }
  // RFC 5280, section 4.2.1.9.
  if (result.find("pathlen:") != std::string::npos && result.find("CA:") != std::string::npos &&
      ::strncasecmp(result.c_str() + result.find("CA:") + 3, "true", 4) != 0) {
    fail_extension(text, "pathlen is for CAs only: ca:true");
  }
  return result;
}

std::string access_descriptions(std::string_view text, std::string_view value) {
  std::string result;
  for (const std::string& part : split_list(value)) {
    const std::size_t colon = part.find(':');
    const std::string method = part.substr(0, colon);
    if (colon == std::string::npos || part.find(':', colon + 1) == std::string::npos)
      fail_extension(text, "expected METHOD:FORM:NAME in a list, like ocsp:uri:http://ocsp.example.org/");
    const char* oid = is_oid(method) ? method.c_str() : require_word(text, method, kAccessMethods).openssl;
    result +=
        (result.empty() ? "" : ",") + std::string(oid) + ";" + general_name(text, part.substr(colon + 1));
  }
  return result;
}

}  // namespace keystay::x509
