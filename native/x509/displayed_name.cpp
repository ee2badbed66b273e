#include "native/x509/displayed_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/objects.h>
#include <time.h>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/joined.h"

namespace keystay::x509 {
namespace {

struct Keyword {
  int nid;
  std::string_view text;
};
constexpr std::array kKeywords = std::to_array<Keyword>({{NID_commonName, "CN"},
                                                         {NID_countryName, "C"},
                                                         {NID_localityName, "L"},
                                                         {NID_stateOrProvinceName, "ST"},
                                                         {NID_organizationName, "O"},
                                                         {NID_organizationalUnitName, "OU"},
                                                         {NID_title, "T"},
                                                         {NID_streetAddress, "STREET"},
                                                         {NID_domainComponent, "DC"},
                                                         {NID_dnQualifier, "DNQ"},
                                                         {NID_surname, "SURNAME"},
                                                         {NID_givenName, "GIVENNAME"},
                                                         {NID_initials, "INITIALS"},
                                                         {NID_generationQualifier, "GENERATION"},
                                                         {NID_pkcs9_emailAddress, "EMAILADDRESS"},
                                                         {NID_userId, "UID"},
                                                         {NID_serialNumber, "SERIALNUMBER"}});

constexpr std::string_view kQuoted = ",+=\n<>#;\\\"";

std::string keyword(const ASN1_OBJECT* type) {
  const int nid = OBJ_obj2nid(type);
  const auto* known = std::ranges::find(kKeywords, nid, &Keyword::nid);
  return known == kKeywords.end() ? "OID." + dotted(type) : std::string(known->text);
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) throw openssl_error("cannot read a name");
  const std::unique_ptr<unsigned char, OpensslFree> owned(utf8);
  return std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
}

std::string quoted_if_needed(const std::string& value) {
  const bool blank_at_end = value.starts_with(' ') || value.ends_with(' ');
  const bool special = value.find_first_of(kQuoted) != std::string::npos;
  if (!special && !blank_at_end && value.find("  ") == std::string::npos) return pkcs11::printable(value);
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return pkcs11::printable(result + "\"");
}

std::string attribute(const X509_NAME_ENTRY* entry) {
  return keyword(X509_NAME_ENTRY_get_object(entry)) + "=" +
         quoted_if_needed(text_of(X509_NAME_ENTRY_get_data(entry)));
}

std::string shown(const ASN1_STRING* value) {
  return pkcs11::printable(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                            static_cast<std::size_t>(ASN1_STRING_length(value))));
}

std::string in_hex(int number) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.begin(), text.end(), number, 16).ptr;
  return std::string(text.begin(), end);
}

// An IPv6 address in Java's form: eight groups, none left out.
std::string address(const ASN1_OCTET_STRING* value) {
  const unsigned char* bytes = ASN1_STRING_get0_data(value);
  const int size = ASN1_STRING_length(value);
  if (size == 4) return joined(bytes[0], ".", bytes[1], ".", bytes[2], ".", bytes[3]);
  if (size != 16) return pkcs11::hex({bytes, static_cast<std::size_t>(size)});
  std::string text;
  for (int i = 0; i < size; i += 2) text += (i == 0 ? "" : ":") + in_hex(bytes[i] << 8 | bytes[i + 1]);
  return text;
}

struct Digest {
  int nid;
  std::string_view name;
};
constexpr std::array kDigests = std::to_array<Digest>({{NID_md5, "MD5"},
                                                       {NID_sha1, "SHA1"},
                                                       {NID_sha224, "SHA224"},
                                                       {NID_sha256, "SHA256"},
                                                       {NID_sha384, "SHA384"},
                                                       {NID_sha512, "SHA512"},
                                                       {NID_sha512_224, "SHA512/224"},
                                                       {NID_sha512_256, "SHA512/256"},
                                                       {NID_sha3_224, "SHA3-224"},
                                                       {NID_sha3_256, "SHA3-256"},
                                                       {NID_sha3_384, "SHA3-384"},
                                                       {NID_sha3_512, "SHA3-512"}});

std::string_view key_word(int nid) {
  switch (nid) {
    case NID_rsaEncryption:
      return "RSA";
    case NID_X9_62_id_ecPublicKey:
      return "ECDSA";
    case NID_dsa:
      return "DSA";
    default:
      return "";
  }
}

// RFC 5480: the curve is the parameter.
std::string curve_name(const X509_ALGOR* algorithm) {
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_OBJECT) return "";
  const auto* object = static_cast<const ASN1_OBJECT*>(value);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_X9_62_prime256v1) return "secp256r1";
  return nid == NID_undef ? dotted(object) : OBJ_nid2sn(nid);
}

}  // namespace

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, 256> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  return text.data();
}

// The last of the DER comes first.
std::string displayed_name(const X509_NAME* name) {
  std::string text;
  int set = -1;
  std::string relative;
  const auto flush = [&] {
    if (!relative.empty()) text = relative + (text.empty() ? "" : ", " + text);
    relative.clear();
  };
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    if (X509_NAME_ENTRY_set(entry) != set) flush();
    set = X509_NAME_ENTRY_set(entry);
    relative += (relative.empty() ? "" : " + ") + attribute(entry);
  }
  flush();
  return text;
}

std::string displayed_general_name(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  switch (type) {
    case GEN_DNS:
      return "DNSName: " + shown(static_cast<const ASN1_STRING*>(value));
    case GEN_URI:
      return "URIName: " + shown(static_cast<const ASN1_STRING*>(value));
    case GEN_EMAIL:
      return "RFC822Name: " + shown(static_cast<const ASN1_STRING*>(value));
    case GEN_IPADD:
      return "IPAddress: " + address(static_cast<const ASN1_OCTET_STRING*>(value));
    case GEN_RID:
      return "OIDName: " + dotted(static_cast<const ASN1_OBJECT*>(value));
    case GEN_DIRNAME:
      return displayed_name(static_cast<const X509_NAME*>(value));
    default:
      return "Other-Name: Unrecognized ObjectIdentifier";
  }
}

std::string displayed_time(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 64> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw Error("a date is damaged");
  std::strftime(text.data(), text.size(), "%a %b %d %H:%M:%S UTC %Y", &parts);
  return text.data();
}

std::string displayed_signature_algorithm(const X509_ALGOR* algorithm) {
  const ErrorMark mark;
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_rsassaPss) return "RSASSA-PSS";
  if (nid == NID_ED25519) return "Ed25519";
  if (nid == NID_ED448) return "Ed448";
  int digest = NID_undef;
  int key = NID_undef;
  if (nid == NID_undef || OBJ_find_sigid_algs(nid, &digest, &key) != 1) return dotted(object);
  const auto* known = std::ranges::find(kDigests, digest, &Digest::nid);
  const std::string_view word = key_word(key);
  if (known == kDigests.end() || word.empty()) return dotted(object);
  return std::string(known->name).append("with").append(word);
}

std::string displayed_key(X509_PUBKEY* key) {
  const ErrorMark mark;
  ASN1_OBJECT* object = nullptr;
  X509_ALGOR* algorithm = nullptr;
  X509_PUBKEY_get0_param(&object, nullptr, nullptr, &algorithm, key);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_ED25519) return "Ed25519 key";
  if (nid == NID_ED448) return "Ed448 key";
  if (nid == NID_X25519) return "X25519 key";
  if (nid == NID_X448) return "X448 key";
  const EVP_PKEY* parsed = X509_PUBKEY_get0(key);
  const std::string bits = parsed != nullptr ? std::to_string(EVP_PKEY_get_bits(parsed)) + "-bit " : "";
  if (nid == NID_rsaEncryption) return bits + "RSA key";
  if (nid == NID_rsassaPss) return bits + "RSASSA-PSS key";
  if (nid == NID_dsa) return bits + "DSA key";
  if (nid != NID_X9_62_id_ecPublicKey) return dotted(object) + " key";
  const std::string curve = curve_name(algorithm);
  return bits + "EC" + (curve.empty() ? "" : " (" + curve + ")") + " key";
}

std::string displayed_number(const ASN1_INTEGER* number) {
  const BigNumber value(ASN1_INTEGER_to_BN(number, nullptr));
  if (!value) throw openssl_error("cannot read a number");
  const std::unique_ptr<char, OpensslFree> hex(BN_bn2hex(value.get()));
  std::string text(hex.get());
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool negative = text.starts_with('-');
  const std::size_t first = text.find_first_not_of('0', negative ? 1 : 0);
  if (first == std::string::npos) return "0";
  return (negative ? "-" : "") + text.substr(first);
}

// ASN1_INTEGER holds the magnitude; DER has a zero byte before a set first bit.
std::string displayed_bytes(const ASN1_INTEGER* number) {
  const unsigned char* data = ASN1_STRING_get0_data(number);
  const int size = ASN1_STRING_length(number);
  std::string text = size > 0 && (data[0] & 0x80) != 0 ? "00:" : "";
  for (int i = 0; i < size; ++i) text += (i == 0 ? "" : ":") + pkcs11::hex({&data[i], 1});
  return text;
}

}  // namespace keystay::x509
