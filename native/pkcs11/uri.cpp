#include "native/pkcs11/uri.h"

#include <memory>

#include <p11-kit/uri.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/percent_encoding.h"
#include "native/pkcs11/uri_syntax.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::pkcs11 {
namespace {

constexpr char kSpki[] = "keystay-spki";

struct UriFree {
  void operator()(P11KitUri* uri) const noexcept { p11_kit_uri_free(uri); }
};
using P11Uri = std::unique_ptr<P11KitUri, UriFree>;

P11Uri new_uri() {
  P11Uri uri(p11_kit_uri_new());
  if (!uri) throw std::bad_alloc();
  return uri;
}

std::string text(const char* value) { return value ? value : ""; }

// p11-kit keeps token attributes in a CK_TOKEN_INFO, padded with blanks; all zero means "not given".
template <std::size_t Size>
std::string token_field(const CK_UTF8CHAR (&field)[Size]) {
  if (field[0] == '\0') return {};
  std::string value(reinterpret_cast<const char*>(field), Size);
  value.erase(value.find_last_not_of(' ') + 1);
  return value;
}

template <std::size_t Size>
void set_token_field(CK_UTF8CHAR (&field)[Size], const std::string& value) {
  if (value.empty()) return;
  if (value.size() > Size)
    throw Error(ErrorClass::client, "\"" + value + "\" is too long for a token attribute");
  std::fill(std::begin(field), std::end(field), CK_UTF8CHAR{' '});
  std::copy(value.begin(), value.end(), std::begin(field));
}

Bytes attribute(P11KitUri* uri, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* found = p11_kit_uri_get_attribute(uri, type);
  if (!found || !found->pValue) return {};
  const auto* bytes = static_cast<const std::uint8_t*>(found->pValue);
  return {bytes, bytes + found->ulValueLen};
}

// False for a label that is left out.
bool can_be_stated(const std::string& label, bool named_otherwise) {
  if (label.empty() || is_uri_text(label)) return !label.empty();
  if (named_otherwise) return false;
  throw Error(ErrorClass::client,
              "a label that is not UTF-8 cannot be written in a URI; name it by id or serial");
}

void set_attribute(P11KitUri* uri, CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
  CK_ATTRIBUTE attribute{type, const_cast<void*>(value), size};  // copied, not written to
  if (p11_kit_uri_set_attribute(uri, &attribute) != P11_KIT_URI_OK) throw std::bad_alloc();
}

std::string with_small_scheme(std::string_view source) {
  return "pkcs11" + std::string(source.substr(source.find(':')));
}

constexpr std::string_view kPinValue = "pin-value=";

// Where "pin-value=…" stands in a URI of right syntax: its query has no delimiter within a value.
std::string_view pin_value_in(std::string_view source) {
  std::size_t begin = source.find('?');
  while (begin != std::string_view::npos) {
    const std::string_view rest = source.substr(begin + 1);
    if (rest.starts_with(kPinValue)) return rest.substr(0, rest.find('&'));
    begin = source.find('&', begin + 1);
  }
  return {};
}

// p11-kit would keep copies of it that are not wiped.
std::string without(std::string_view attribute, std::string_view source) {
  if (attribute.empty()) return std::string(source);
  const auto begin = static_cast<std::size_t>(attribute.data() - source.data());
  const std::size_t end = begin + attribute.size();
  // With the "&" behind it, or else with the "?" or "&" before it.
  if (end < source.size()) return std::string(source.substr(0, begin)).append(source.substr(end + 1));
  return std::string(source.substr(0, begin - 1));
}

UriPin decoded_pin(std::string_view attribute) {
  if (attribute.empty()) return {};
  const std::string_view value = attribute.substr(kPinValue.size());
  WipedText decoded(value.size());
  const std::size_t size = percent_decode(value, decoded.data());
  return UriPin(Pin(decoded.view().substr(0, size), "pin-value of the URI"));
}

}  // namespace

Uri parse_uri(std::string_view source) {
  require_uri_syntax(source);
  const std::string_view pin = pin_value_in(source);
  const P11Uri parsed = new_uri();
  const int result =
      p11_kit_uri_parse(with_small_scheme(without(pin, source)).c_str(), P11_KIT_URI_FOR_ANY, parsed.get());
  if (result != P11_KIT_URI_OK) throw UriError(kPkcs11Uri, text(p11_kit_uri_message(result)));
  Uri uri;
  const CK_TOKEN_INFO* token = p11_kit_uri_get_token_info(parsed.get());
  uri.token = token_field(token->label);
  uri.serial = token_field(token->serialNumber);
  uri.manufacturer = token_field(token->manufacturerID);
  uri.model = token_field(token->model);
  const Bytes label = attribute(parsed.get(), CKA_LABEL);
  uri.object.assign(label.begin(), label.end());
  uri.id = attribute(parsed.get(), CKA_ID);
  if (const CK_ATTRIBUTE* type = p11_kit_uri_get_attribute(parsed.get(), CKA_CLASS)) {
    uri.type = *static_cast<const CK_OBJECT_CLASS*>(type->pValue);
  }
  uri.module_path = text(p11_kit_uri_get_module_path(parsed.get()));
  uri.pin_source = text(p11_kit_uri_get_pin_source(parsed.get()));
  uri.pin_value = decoded_pin(pin);
  uri.spki = text(p11_kit_uri_get_vendor_query(parsed.get(), kSpki));
  if (!uri.pin_source.empty() && uri.pin_value) {  // RFC 7512, section 2.4
    throw UriError(kPkcs11Uri, "it has both a pin-source and a pin-value; leave one of them");
  }
  return uri;
}

Uri parse_token_uri(std::string_view source) {
  Uri uri = parse_uri(source);
  if (!uri.object.empty() || !uri.id.empty() || uri.type || !uri.spki.empty()) {
    throw UriError(kPkcs11Uri,
                   "a token is named here, and none of the objects on it; leave object, id and type out");
  }
  return uri;
}

std::string format_uri(const Uri& uri) {
  const P11Uri built = new_uri();
  CK_TOKEN_INFO* token = p11_kit_uri_get_token_info(built.get());
  if (can_be_stated(uri.token, !uri.serial.empty())) set_token_field(token->label, uri.token);
  set_token_field(token->serialNumber, uri.serial);
  set_token_field(token->manufacturerID, uri.manufacturer);
  set_token_field(token->model, uri.model);
  if (can_be_stated(uri.object, !uri.id.empty()))
    set_attribute(built.get(), CKA_LABEL, uri.object.data(), uri.object.size());
  if (!uri.id.empty()) set_attribute(built.get(), CKA_ID, uri.id.data(), uri.id.size());
  if (uri.type) set_attribute(built.get(), CKA_CLASS, &*uri.type, sizeof *uri.type);
  if (!uri.module_path.empty()) p11_kit_uri_set_module_path(built.get(), uri.module_path.c_str());
  if (!uri.pin_source.empty()) p11_kit_uri_set_pin_source(built.get(), uri.pin_source.c_str());
  if (!uri.spki.empty()) p11_kit_uri_set_vendor_query(built.get(), kSpki, uri.spki.c_str());

  char* formatted = nullptr;
  if (p11_kit_uri_format(built.get(), P11_KIT_URI_FOR_ANY, &formatted) != P11_KIT_URI_OK)
    throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&std::free)> owner(formatted, std::free);
  return formatted;
}

std::string_view type_in_uri(CK_OBJECT_CLASS object_class) noexcept {
  switch (object_class) {
    case CKO_PRIVATE_KEY:
      return "private";
    case CKO_PUBLIC_KEY:
      return "public";
    case CKO_CERTIFICATE:
      return "cert";
    case CKO_SECRET_KEY:
      return "secret-key";
    default:
      return "data";
  }
}

}  // namespace keystay::pkcs11
