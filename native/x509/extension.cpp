#include "native/x509/extension.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/conf.h>
#include <strings.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::x509 {
namespace {

struct Type {
  const char* name;
  const char* short_name;
  int nid;
  const char* example;
};

constexpr std::array kTypes = std::to_array<Type>({
    {"SubjectAlternativeName", "san", NID_subject_alt_name, "san=dns:example.org,ip:127.0.0.1"},
    {"BasicConstraints", "bc", NID_basic_constraints, "bc=ca:true,pathlen:0"},
    {"KeyUsage", "ku", NID_key_usage, "ku=digitalSignature,keyEncipherment"},
    {"ExtendedKeyUsage", "eku", NID_ext_key_usage, "eku=serverAuth,clientAuth"},
});

struct Word {
  const char* keytool;
  const char* openssl;
};

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

[[noreturn]] void fail(std::string_view text, const std::string& what) {
  throw Error("extension \"" + std::string(text) + "\": " + what);
}

const Type& find_type(std::string_view text, const std::string& name) {
  const auto found = std::ranges::find_if(kTypes, [&](const Type& type) {
    return ::strcasecmp(type.name, name.c_str()) == 0 || ::strcasecmp(type.short_name, name.c_str()) == 0;
  });
  if (found == kTypes.end()) {
    std::string examples;
    for (const Type& type : kTypes) examples += std::string(examples.empty() ? "" : "; ") + type.example;
    fail(text, "unknown; there are " + examples);
  }
  return *found;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// keytool lets the humps of a word stand for it: "dig", "dS" and "ds" are digitalSignature.
bool abbreviates(const std::string& text, std::string_view word) {
  if (text.empty()) return false;
  if (::strncasecmp(text.c_str(), word.data(), text.size()) == 0) return true;
  std::string humps(1, word.front());
  std::ranges::copy_if(word.substr(1), std::back_inserter(humps),
                       [](char c) { return c >= 'A' && c <= 'Z'; });
  return ::strcasecmp(text.c_str(), humps.c_str()) == 0;
}

template <std::size_t size>
const char* find_word(std::string_view text, const std::string& word, const std::array<Word, size>& words) {
  const auto exact =
      std::ranges::find_if(words, [&](const Word& w) { return ::strcasecmp(w.keytool, word.c_str()) == 0; });
  if (exact != words.end()) return exact->openssl;
  const auto matches = [&](const Word& w) { return abbreviates(word, w.keytool); };
  if (std::ranges::count_if(words, matches) == 1) return std::ranges::find_if(words, matches)->openssl;
  std::string known;
  for (const Word& w : words) known += std::string(known.empty() ? "" : ", ") + w.keytool;
  fail(text, "\"" + word + "\" is not one of " + known);
}

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

// X.660: the first arc is 0, 1 or 2, and the second one of 0 and 1 is below 40. libcrypto knows that, and
// does not mind an arc without digits.
bool is_oid(const std::string& text) {
  if (text.starts_with('.') || text.ends_with('.') || text.find("..") != std::string::npos) return false;
  const ErrorMark refusals_of_others;
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(text.c_str(), 1));
  return object != nullptr;
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
    if (syntax.form == form && !syntax.holds(name)) fail(text, "\"" + name + "\" is " + syntax.what);
  }
}

// The same values in the words of libcrypto (x509v3_config(5)).
std::string alternative_names(std::string_view text, std::string_view value) {
  std::string result;
  for (const std::string& part : split(value)) {
    const std::size_t colon = part.find(':');
    if (colon == std::string::npos || colon + 1 == part.size())
      fail(text, "expected dns:NAME, ip:ADDRESS, uri:… in a list");
    const char* form = find_word(text, part.substr(0, colon), kNameForms);
    // RFC 5280, section 4.2.1.6: dNSName, rfc822Name and URI are IA5Strings.
    if (std::ranges::any_of(part, [](unsigned char c) { return c < 0x20 || c >= 0x7F; })) {
      fail(text, "only ASCII is allowed here; write an international domain name as xn--…");
    }
    const std::string name = part.substr(colon + 1);
    require_syntax(text, form, name);
    result += (result.empty() ? "" : ",") + std::string(form) + ":" + name;
  }
  return result;
}

template <std::size_t size>
std::string usages(std::string_view text, std::string_view value, const std::array<Word, size>& words) {
  std::string result;
  for (const std::string& part : split(value)) {
    const bool oid = !part.empty() && part.find_first_not_of("0123456789.") == std::string::npos;
    if (oid && !is_oid(part)) fail(text, "\"" + part + "\" is no object identifier, like 1.3.6.1.5.5.7.3.1");
    result += (result.empty() ? "" : ",") + (oid ? part : std::string(find_word(text, part, words)));
  }
  return result;
}

// keytool: nothing is a CA, a bare number is a CA with that path length.
std::string basic_constraints(std::string_view text, std::string_view value) {
  if (value.empty()) return "CA:TRUE";
  if (value.find_first_not_of("0123456789") == std::string_view::npos)
    return "CA:TRUE,pathlen:" + std::string(value);
  std::string result;
  for (const std::string& part : split(value)) {
    const bool ca = ::strncasecmp(part.c_str(), "ca:", 3) == 0;
    if (!ca && ::strncasecmp(part.c_str(), "pathlen:", 8) != 0)
      fail(text, "expected ca:true, ca:false or pathlen:NUMBER");
    if (!ca && (part.size() == 8 || part.size() > 11 ||
                part.find_first_not_of("0123456789", 8) != std::string::npos)) {
      fail(text, "expected a number of at most three digits after pathlen:");
    }
    result += (result.empty() ? "" : ",") + (ca ? "CA:" + part.substr(3) : part);
  }
  // RFC 5280, section 4.2.1.9.
  if (result.find("pathlen:") != std::string::npos && result.find("CA:") != std::string::npos &&
      ::strncasecmp(result.c_str() + result.find("CA:") + 3, "true", 4) != 0) {
    fail(text, "pathlen is for CAs only: ca:true");
  }
  return result;
}

std::string openssl_value(const Type& type, std::string_view text, std::string_view value) {
  switch (type.nid) {
    case NID_subject_alt_name:
      return alternative_names(text, value);
    case NID_key_usage:
      return usages(text, value, kKeyUsages);
    case NID_ext_key_usage:
      return usages(text, value, kExtendedKeyUsages);
    default:
      return basic_constraints(text, value);
  }
}

X509Extension key_identifier(const pkcs11::PublicKey& key) {
  const pkcs11::Bytes id = OpenSslPkix().key_identifier(key);
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
  if (!value || ASN1_OCTET_STRING_set(value.get(), id.data(), static_cast<int>(id.size())) != 1) {
    throw openssl_error("cannot make the SubjectKeyIdentifier");
  }
  return X509Extension(X509V3_EXT_i2d(NID_subject_key_identifier, 0, value.get()));
}

void push(X509Extensions& extensions, X509Extension extension) {
  if (!extension || sk_X509_EXTENSION_push(extensions.get(), extension.get()) <= 0) {
    throw openssl_error("cannot add an extension");
  }
  static_cast<void>(extension.release());  // the stack owns it now
}

}  // namespace

X509Extension parse_extension(std::string_view text) {
  const ErrorsSetAside others;
  const std::size_t equals = text.find('=');
  const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  std::string name(text.substr(0, equals));
  bool critical = false;
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    if (::strcasecmp(name.c_str() + colon, ":critical") != 0)
      fail(text, "only \":critical\" may follow the name");
    critical = true;
    name.resize(colon);
  }
  const Type& type = find_type(text, name);
  if (value.empty() && type.nid != NID_basic_constraints)
    fail(text, std::string("has no value; write ") + type.example);
  const std::string openssl_text = (critical ? "critical," : "") + openssl_value(type, text, value);
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509Extension extension(X509V3_EXT_conf_nid(nullptr, &context, type.nid, openssl_text.c_str()));
  if (!extension) throw openssl_error("extension \"" + std::string(text) + "\": write " + type.example);
  return extension;
}

X509Extensions parse_extensions(std::span<const std::string> texts, const pkcs11::PublicKey& key) {
  const ErrorsSetAside others;
  X509Extensions extensions(sk_X509_EXTENSION_new_null());
  if (!extensions) throw openssl_error("cannot make a list of extensions");
  push(extensions, key_identifier(key));
  for (const std::string& text : texts) {
    X509Extension extension = parse_extension(text);
    if (X509v3_get_ext_by_OBJ(extensions.get(), X509_EXTENSION_get_object(extension.get()), -1) >= 0) {
      fail(text, "this type stands twice; write all values in one -ext");
    }
    push(extensions, std::move(extension));
  }
  return extensions;
}

}  // namespace keystay::x509
