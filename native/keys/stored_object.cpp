#include "native/keys/stored_object.h"

#include <algorithm>
#include <string>
#include <utility>

#include "native/keys/token_objects.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

[[noreturn]] void refuse(const char* function, const char* what) {
  throw Error(ErrorClass::busy, std::string(function) + ": the token answered CKR_OK and " + what +
                                    "; is it full? Free space on it, or on the disk where it is kept");
}

template <typename Read>
auto read_back(Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const Read& read) {
  try {
    const CK_ATTRIBUTE_TYPE types[] = {type};
    return read(session.attributes(object, types));
  } catch (const Error& error) {
    if (error.code() != CKR_OBJECT_HANDLE_INVALID) throw;
  }
  refuse("C_SetAttributeValue", "has no such object any more");
}

}  // namespace

void require_stored(Session& session, CK_OBJECT_HANDLE object, Template attributes, const char* function) {
  require_stored(session, {object}, std::move(attributes), function);
}

void require_stored(Session& session, std::initializer_list<CK_OBJECT_HANDLE> objects, Template attributes,
                    const char* function) {
  const auto found = session.find_token_objects(std::move(attributes));
  for (const CK_OBJECT_HANDLE object : objects)
    if (std::ranges::find(found, object) == found.end()) refuse(function, "has no such object");
}

void require_gone(Session& session, CK_OBJECT_HANDLE object, Template attributes) {
  const auto found = session.find_token_objects(std::move(attributes));
  if (std::ranges::find(found, object) == found.end()) return;
  throw Error(ErrorClass::busy, "C_DestroyObject: the token answered CKR_OK and has the object still");
}

CK_OBJECT_HANDLE store_certificate(Session& session, std::string_view label, ByteView id,
                                   const Certificate& certificate) {
  Template object = objects_of(CKO_CERTIFICATE);
  object.flag(CKA_TOKEN, true)
      .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .flag(CKA_PRIVATE, false)
      .text(CKA_LABEL, label)
      .bytes(CKA_ID, id)
      .bytes(CKA_SUBJECT, certificate.subject)
      .bytes(CKA_ISSUER, certificate.issuer)
      .bytes(CKA_SERIAL_NUMBER, certificate.serial_number)
      .bytes(CKA_VALUE, certificate.der);
  const CK_OBJECT_HANDLE handle = session.create_object(std::move(object));
  Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_VALUE, certificate.der);
  require_stored(session, handle, std::move(search), "C_CreateObject");
  return handle;
}

void store_id(Session& session, CK_OBJECT_HANDLE object, ByteView id) {
  session.set_attributes(object, std::move(Template().bytes(CKA_ID, id)));
  const auto read = [](const pkcs11::Attributes& attributes) { return attributes.bytes(CKA_ID); };
  if (!std::ranges::equal(read_back(session, object, CKA_ID, read), id))
    refuse("C_SetAttributeValue", "has another CKA_ID");
}

void store_label(Session& session, CK_OBJECT_HANDLE object, std::string_view label) {
  const auto read = [](const pkcs11::Attributes& attributes) { return attributes.text(CKA_LABEL); };
  const std::size_t size = read_back(session, object, CKA_LABEL, read).size();
  if (label.size() > size) require_room(session, 1, label.size() - size);
  session.set_attributes(object, std::move(Template().text(CKA_LABEL, label)));
  if (read_back(session, object, CKA_LABEL, read) != label)
    refuse("C_SetAttributeValue", "has another CKA_LABEL");
}

void require_room(Session& session, std::size_t objects, std::size_t growth) {
  constexpr std::size_t kPage = 4096;  // of a file system
  static constexpr std::uint8_t kF4[] = {0x01, 0x00, 0x01};
  const pkcs11::Bytes modulus(objects * (kPage + growth), 0xFF);
  const std::string label = unfinished_label();
  Template object = objects_of(CKO_PUBLIC_KEY);
  object.flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, false)
      .number(CKA_KEY_TYPE, CKK_RSA)
      .text(CKA_LABEL, label)
      .bytes(CKA_MODULUS, modulus)
      .bytes(CKA_PUBLIC_EXPONENT, kF4);
  MadeObjects made(session);
  try {
    made.add(session.create_object(std::move(object)));
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::client) return;  // it takes no such key: room cannot be tried so
    throw;
  }
  Template search = objects_of(CKO_PUBLIC_KEY);
  search.text(CKA_LABEL, label);
  if (session.find_token_objects(std::move(search)).empty())
    refuse("C_CreateObject", "has no room for a longer name");
}

MadeObjects::~MadeObjects() {
  for (const CK_OBJECT_HANDLE object : objects_) {
    try {
      session_.destroy_object(object);
    } catch (const Error&) {
      continue;
    }
  }
}

void destroy_if_there(Session& session, CK_OBJECT_HANDLE object) {
  try {
    session.destroy_object(object);
  } catch (const Error& error) {
    if (error.code() != CKR_OBJECT_HANDLE_INVALID) throw;
  }
}

}  // namespace keystay::keys
