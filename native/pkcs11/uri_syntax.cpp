#include "native/pkcs11/uri_syntax.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "native/pkcs11/percent_encoding.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/uri.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::pkcs11 {
namespace {

constexpr std::string_view kScheme = "pkcs11:";

enum class Component { path, query };
enum class Value { text, bytes, object_class, secret };

struct Attribute {
  std::string_view name;
  Component component;
  Value value;
  std::size_t longest = std::string_view::npos;  // bytes of the field in CK_TOKEN_INFO
};

constexpr std::array kAttributes = std::to_array<Attribute>({
    {"token", Component::path, Value::text, 32},
    {"serial", Component::path, Value::text, 16},
    {"manufacturer", Component::path, Value::text, 32},
    {"model", Component::path, Value::text, 16},
    {"object", Component::path, Value::text},
    {"id", Component::path, Value::bytes},
    {"type", Component::path, Value::object_class},
    {"module-path", Component::query, Value::text},
    {"pin-source", Component::query, Value::text},
    {"pin-value", Component::query, Value::secret},
    {"keystay-spki", Component::query, Value::text},
});
constexpr std::array<std::string_view, 5> kTypes = {"public", "private", "cert", "secret-key", "data"};

// pk11-res-avail, and what pk11-path-res-avail and pk11-query-res-avail add to it.
constexpr std::string_view kReserved = ":[]@!$'()*+,=";
constexpr std::string_view kPathReserved = "&";
constexpr std::string_view kQueryReserved = "/?|";

bool is_allowed(char c, Component component) noexcept {
  const auto is_in = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
  return is_unreserved(c) || c == '%' || is_in(kReserved) ||
         is_in(component == Component::path ? kPathReserved : kQueryReserved);
}

bool is_name_character(char c) noexcept { return (is_unreserved(c) && c != '.' && c != '~'); }

std::string encoded(char c) {
  std::string digits = hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1));
  for (char& digit : digits) {
    if (digit >= 'a') digit = static_cast<char>(digit - 'a' + 'A');
  }
  return std::string(1, '%').append(digits);
}

// "name=value" in the URI, and where it begins.
struct Part {
  std::string_view text;
  std::size_t offset;  // in the URI
  Component component;
};

class Syntax final {
 public:
  explicit Syntax(std::string_view uri) : uri_(uri), secret_from_(uri.find("pin-value")) {}

  void require() {
    if (!is_pkcs11_uri(uri_)) throw UriError(kPkcs11Uri, "it does not begin with \"pkcs11:\"");
    const std::size_t query = uri_.find('?');
    require_parts(kScheme.size(), std::min(query, uri_.size()), Component::path);
    if (query != std::string_view::npos) require_parts(query + 1, uri_.size(), Component::query);
  }

 private:
  // Counted from 1, as editors do.
  [[noreturn]] static void fail(std::size_t offset, const std::string& why) {
    throw UriError(kPkcs11Uri, "character " + std::to_string(offset + 1) + why);
  }

  [[noreturn]] static void fail(const Attribute& attribute, std::size_t offset, const std::string& why) {
    fail(offset, ", in \"" + std::string(attribute.name) + "\": " + why);
  }

  // An empty component is none; an attribute is never empty.
  void require_parts(std::size_t begin, std::size_t end, Component component) {
    if (begin == end) return;
    const char delimiter = component == Component::path ? ';' : '&';
    for (;;) {
      const std::size_t next = std::min(uri_.find(delimiter, begin), end);
      require_part({uri_.substr(begin, next - begin), begin, component});
      if (next == end) return;
      begin = next + 1;
    }
  }

  void require_part(const Part& part) {
    const std::size_t equals = part.text.find('=');
    const std::string_view name = part.text.substr(0, equals);
    require_name(name, part);
    const Attribute& attribute = known(name, part);
    if (equals == std::string_view::npos) fail(attribute, part.offset, "no \"=\" and no value follow");
    if (std::ranges::find(seen_, name) != seen_.end()) {
      fail(attribute, part.offset, "it stands twice; leave one of them");
    }
    seen_.push_back(name);
    require_value({part.text.substr(equals + 1), part.offset + equals + 1, part.component}, attribute);
  }

  void require_name(std::string_view name, const Part& part) const {
    if (part.text.empty()) {
      fail(part.offset,
           ": an attribute is expected, in the place of an empty one; is there a \";\", \"&\" or \"?\" too "
           "many?");
    }
    if (name.empty()) fail(part.offset, ": an attribute without a name");
    const auto odd = std::ranges::find_if_not(name, is_name_character);
    if (odd == name.end()) return;
    fail(part.offset + static_cast<std::size_t>(odd - name.begin()),
         ": the name of an attribute has letters, digits, \"-\" and \"_\", and nothing else, not even a "
         "blank");
  }

  // A restriction that is not understood must not be ignored. What follows a pin-value may be the rest of a
  // PIN that is not percent-encoded: such a name is not repeated.
  [[nodiscard]] const Attribute& known(std::string_view name, const Part& part) const {
    const auto at = std::ranges::find(kAttributes, name, &Attribute::name);
    if (at == kAttributes.end()) {
      const bool may_be_secret = part.offset > secret_from_;
      fail(part.offset,
           (may_be_secret ? ": an attribute" : ": \"" + std::string(name) + "\" is an attribute") +
               " that Keystay does not know; use " + names());
    }
    if (at->component != part.component) {
      fail(*at, part.offset,
           at->component == Component::query ? "it stands behind the \"?\" (section 2.4)"
                                             : "it stands before the \"?\" (section 2.3)");
    }
    return *at;
  }

  static std::string names() {
    std::string all;
    for (const Attribute& attribute : kAttributes) {
      if (attribute.name == "keystay-spki") continue;  // written by Keystay, for Keystay
      all.append(all.empty() ? "" : ", ").append(attribute.name);
    }
    return all;
  }

  static void require_value(const Part& value, const Attribute& attribute) {
    require_characters(value, attribute);
    if (value.text.empty()) fail(attribute, value.offset, "the value is empty; leave the attribute out");
    if (attribute.value == Value::object_class && std::ranges::find(kTypes, value.text) == kTypes.end()) {
      fail(attribute, value.offset, "expected public, private, cert, secret-key or data");
    }
    WipedText decoded(value.text.size());  // it may be a PIN
    const std::size_t size = percent_decode(value.text, decoded.data());
    require_meaning(decoded.view().substr(0, size), value, attribute);
  }

  static void require_characters(const Part& value, const Attribute& attribute) {
    const auto odd =
        std::ranges::find_if_not(value.text, [&](char c) { return is_allowed(c, value.component); });
    if (odd != value.text.end()) {
      const std::size_t at = value.offset + static_cast<std::size_t>(odd - value.text.begin());
      fail(attribute, at,
           attribute.value == Value::secret ? "a character that must be percent-encoded"
           : *odd == ' '                    ? "a blank is written %20"
                                            : "this character is written " + encoded(*odd));
    }
    if (const auto at = broken_percent_encoding(value.text)) {
      fail(attribute, value.offset + *at, "a % without two hexadecimal digits; a % itself is written %25");
    }
    // "&" and "=" may stand in the path. Who forgot the "?" would look for a key with a PIN in its name.
    for (const std::string_view query : {"&pin-value=", "&pin-source=", "&module-path="}) {
      if (value.component == Component::path && value.text.find(query) != std::string_view::npos) {
        fail(attribute, value.offset + value.text.find(query), "the query begins with \"?\", not with \"&\"");
      }
    }
  }

  static void require_meaning(std::string_view decoded, const Part& value, const Attribute& attribute) {
    if (attribute.value == Value::bytes) return;
    if (decoded.find('\0') != std::string_view::npos)
      fail(attribute, value.offset, "the value has a zero byte");
    if (!is_utf8(decoded)) {
      fail(attribute, value.offset,
           attribute.name == "object" ? "the value is not UTF-8; name such an object by its id"
                                      : "the value is not UTF-8");
    }
    if (attribute.longest == std::string_view::npos) return;
    if (decoded.size() > attribute.longest) {
      fail(attribute, value.offset,
           "no token has more than " + std::to_string(attribute.longest) + " bytes there");
    }
    // CK_TOKEN_INFO is padded with blanks: only blanks are nothing.
    if (decoded.find_first_not_of(' ') == std::string_view::npos) {
      fail(attribute, value.offset, "the value is blank; leave the attribute out");
    }
  }

  std::string_view uri_;
  std::size_t secret_from_;
  std::vector<std::string_view> seen_;
};

}  // namespace

UriError::UriError(std::string_view kind, const std::string& why)
    : Error(ErrorClass::client, "not a " + std::string(kind) + ": " + why) {}

bool is_pkcs11_uri(std::string_view text) noexcept {
  return equal_ignoring_case(text.substr(0, kScheme.size()), kScheme);
}

void require_uri_syntax(std::string_view text) { Syntax(text).require(); }

bool is_uri_text(std::string_view value) noexcept {
  return !value.empty() && value.find('\0') == std::string_view::npos && is_utf8(value);
}

}  // namespace keystay::pkcs11
