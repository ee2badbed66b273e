#include "native/x509/distinguished_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <strings.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"

namespace keystay::x509 {
namespace {

struct Keyword {
  const char* text;
  int nid;
};

// RFC 4514, section 3, and what keytool knows besides.
constexpr std::array kKeywords = std::to_array<Keyword>({
    {"CN", NID_commonName},
    {"OU", NID_organizationalUnitName},
    {"O", NID_organizationName},
    {"L", NID_localityName},
    {"ST", NID_stateOrProvinceName},
    {"S", NID_stateOrProvinceName},
    {"C", NID_countryName},
    {"DC", NID_domainComponent},
    {"UID", NID_userId},
    {"STREET", NID_streetAddress},
    {"T", NID_title},
    {"SURNAME", NID_surname},
    {"GIVENNAME", NID_givenName},
    {"INITIALS", NID_initials},
    {"GENERATION", NID_generationQualifier},
    {"DNQ", NID_dnQualifier},
    {"DNQUALIFIER", NID_dnQualifier},
    {"SERIALNUMBER", NID_serialNumber},
    {"EMAILADDRESS", NID_pkcs9_emailAddress},
    {"EMAIL", NID_pkcs9_emailAddress},
});

// AttributeTypeAndValue.
struct Attribute {
  Asn1Object type;
  std::string value;  // UTF-8
};
using RelativeName = std::vector<Attribute>;

// RFC 4514, section 3: one pass over the text, without backtracking.
class NameParser final {
 public:
  explicit NameParser(std::string_view text) : text_(text) {}

  std::vector<RelativeName> parse() {
    std::vector<RelativeName> names;
    do {
      names.emplace_back();
      do {
        names.back().push_back(attribute());
      } while (take('+'));
    } while (take(',') || take(';'));  // RFC 2253 still knew the semicolon
    if (!at_end()) fail("expected \",\" or \"+\"");
    return names;
  }

 private:
  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }

  bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++position_;
    return true;
  }

  void skip_spaces() {
    while (take(' ')) {
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error("distinguished name \"" + std::string(text_) + "\", character " +
                std::to_string(position_ + 1) + ": " + std::string(what));
  }

  Attribute attribute() {
    skip_spaces();
    Attribute result{type(), {}};
    skip_spaces();
    if (!at_end() && peek() == '#') fail("values in hexadecimal are not supported; write them as text");
    result.value = take('"') ? quoted_value() : plain_value();
    if (result.value.empty()) fail("a value must not be empty");
    return result;
  }

  Asn1Object type() {
    const std::size_t begin = position_;
    const std::size_t end = text_.find('=', begin);
    if (end == std::string_view::npos) fail("expected NAME=value, CN=example.org for instance");
    std::string name(text_.substr(begin, end - begin));
    name.erase(name.find_last_not_of(' ') + 1);
    Asn1Object object = find_type(name);
    if (!object)
      fail("unknown attribute \"" + name + "\"; known are CN, OU, O, L, ST, C, DC, UID … and dotted OIDs");
    position_ = end + 1;
    return object;
  }

  static Asn1Object find_type(const std::string& name) {
    const auto known = std::ranges::find_if(
        kKeywords, [&](const Keyword& keyword) { return ::strcasecmp(keyword.text, name.c_str()) == 0; });
    if (known != kKeywords.end()) return Asn1Object(OBJ_dup(OBJ_nid2obj(known->nid)));
    const ErrorMark mark;
    return Asn1Object(OBJ_txt2obj(name.c_str(), 1));
  }

  // Up to the next unescaped separator; spaces at the end belong to the value only if they are escaped.
  std::string plain_value() {
    std::string value;
    std::size_t significant = 0;
    while (!at_end() && peek() != ',' && peek() != ';' && peek() != '+') {
      if (peek() == '"') fail("a quotation mark inside a value must be escaped: \\\"");
      const bool escaped = peek() == '\\';
      const char c = escaped ? escape() : text_[position_++];
      value.push_back(c);
      if (escaped || c != ' ') significant = value.size();
    }
    value.resize(significant);
    return value;
  }

  // RFC 2253, section 4: the value in quotation marks.
  std::string quoted_value() {
    std::string value;
    while (!take('"')) {
      if (at_end()) fail("the closing quotation mark is missing");
      value.push_back(peek() == '\\' ? escape() : text_[position_++]);
    }
    skip_spaces();
    return value;
  }

  // "\," or a byte as two hexadecimal digits: "\2C".
  char escape() {
    ++position_;
    if (at_end()) fail("nothing follows the backslash");
    const auto high = digit(position_);
    const auto low = digit(position_ + 1);
    if (high && low) {
      position_ += 2;
      return static_cast<char>(*high << 4 | *low);
    }
    return text_[position_++];
  }

  [[nodiscard]] std::optional<int> digit(std::size_t position) const {
    if (position >= text_.size()) return std::nullopt;
    const int value = OPENSSL_hexchar2int(static_cast<unsigned char>(text_[position]));
    return value < 0 ? std::nullopt : std::optional(value);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

void add(X509_NAME* name, const Attribute& attribute, int set) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(attribute.value.data());
  if (X509_NAME_add_entry_by_OBJ(name, attribute.type.get(), MBSTRING_UTF8, bytes,
                                 static_cast<int>(attribute.value.size()), -1, set) != 1) {
    throw openssl_error("distinguished name: \"" + attribute.value + "\" is no value of " +
                        OBJ_nid2sn(OBJ_obj2nid(attribute.type.get())));
  }
}

}  // namespace

X509Name parse_name(std::string_view text) {
  const ErrorsSetAside others;
  const std::vector<RelativeName> names = NameParser(text).parse();
  X509Name result(X509_NAME_new());
  if (!result) throw openssl_error("cannot make a name");
  for (auto relative = names.rbegin(); relative != names.rend(); ++relative) {
    int set = 0;  // a new RelativeDistinguishedName; -1 joins the one before
    for (const Attribute& attribute : *relative) add(result.get(), attribute, std::exchange(set, -1));
  }
  return result;
}

X509Name decode_name(pkcs11::ByteView der) {
  const ErrorsSetAside others;
  const unsigned char* in = der.data();
  X509Name name(d2i_X509_NAME(nullptr, &in, static_cast<long>(der.size())));
  if (!name || in != der.data() + der.size()) throw openssl_error("cannot read a distinguished name");
  return name;
}

std::string format_name(pkcs11::ByteView der) {
  const ErrorsSetAside others;
  const X509Name name = decode_name(der);
  const InputOutput memory(BIO_new(BIO_s_mem()));
  constexpr unsigned long flags =
      (XN_FLAG_RFC2253 & ~XN_FLAG_SEP_MASK & ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC;
  if (!memory || X509_NAME_print_ex(memory.get(), name.get(), 0, flags) < 0) {
    throw openssl_error("cannot write a distinguished name");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace keystay::x509
