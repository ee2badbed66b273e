#include "native/pkcs11/uri.h"

#include <memory>

#include <p11-kit/uri.h>

#include "native/pkcs11/error.h"

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

void set_attribute(P11KitUri* uri, CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
  CK_ATTRIBUTE attribute{type, const_cast<void*>(value), size};  // copied, not written to
  if (p11_kit_uri_set_attribute(uri, &attribute) != P11_KIT_URI_OK) throw std::bad_alloc();
}

// RFC 7512 knows these, but slots are renumbered, and libraries are named by their paths.
bool restricts_library_or_slot(P11KitUri* uri) {
  const CK_INFO* library = p11_kit_uri_get_module_info(uri);
  const CK_SLOT_INFO* slot = p11_kit_uri_get_slot_info(uri);
  constexpr CK_BYTE kAnyVersion = 0xff;
  return library->libraryDescription[0] != '\0' || library->manufacturerID[0] != '\0' ||
         library->libraryVersion.major != kAnyVersion || slot->slotDescription[0] != '\0' ||
         slot->manufacturerID[0] != '\0' || p11_kit_uri_get_slot_id(uri) != static_cast<CK_SLOT_ID>(-1) ||
         p11_kit_uri_get_module_name(uri);
}

}  // namespace

Uri parse_uri(std::string_view source) {
  // p11-kit would stop there, and drop what the rest demands.
  if (source.find('\0') != std::string_view::npos) {
    throw Error(ErrorClass::client, "not a PKCS#11 URI (RFC 7512): it has a zero byte");
  }
  const P11Uri parsed = new_uri();
  const int result = p11_kit_uri_parse(std::string(source).c_str(), P11_KIT_URI_FOR_ANY, parsed.get());
  // The text may hold a PIN (pin-value): it is not repeated in the message.
  if (result != P11_KIT_URI_OK) {
    throw Error(ErrorClass::client,
                std::string("not a PKCS#11 URI (RFC 7512): ") + text(p11_kit_uri_message(result)));
  }
  if (p11_kit_uri_any_unrecognized(parsed.get()) || restricts_library_or_slot(parsed.get())) {
    throw Error(
        ErrorClass::client,
        "PKCS#11 URI has an attribute that Keystay does not know; use token, serial, manufacturer, model, "
        "object, id, type, module-path, pin-source or pin-value");
  }
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
  uri.pin_value = text(p11_kit_uri_get_pin_value(parsed.get()));
  uri.spki = text(p11_kit_uri_get_vendor_query(parsed.get(), kSpki));
  if (!uri.pin_source.empty() && !uri.pin_value.empty()) {  // RFC 7512, section 2.4
    throw Error(ErrorClass::client, "PKCS#11 URI has both a pin-source and a pin-value; leave one of them");
  }
  return uri;
}

std::string format_uri(const Uri& uri) {
  const P11Uri built = new_uri();
  CK_TOKEN_INFO* token = p11_kit_uri_get_token_info(built.get());
  set_token_field(token->label, uri.token);
  set_token_field(token->serialNumber, uri.serial);
  set_token_field(token->manufacturerID, uri.manufacturer);
  set_token_field(token->model, uri.model);
  if (!uri.object.empty()) set_attribute(built.get(), CKA_LABEL, uri.object.data(), uri.object.size());
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

}  // namespace keystay::pkcs11
