#include "native/keys/stored_object.h"

#include <algorithm>
#include <string>
#include <utility>

#include "native/keys/token_objects.h"
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
  const auto found = session.find_token_objects(std::move(attributes));
  if (std::find(found.begin(), found.end(), object) == found.end()) refuse(function, "has no such object");
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
  session.set_attributes(object, std::move(Template().text(CKA_LABEL, label)));
  const auto read = [](const pkcs11::Attributes& attributes) { return attributes.text(CKA_LABEL); };
  if (read_back(session, object, CKA_LABEL, read) != label)
    refuse("C_SetAttributeValue", "has another CKA_LABEL");
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
