// Writing to a token, with a look at what it has afterwards. A token may answer CKR_OK and have nothing:
// SoftHSM does so on a full disk. Nothing old goes before what is new has been read back.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// C_CreateObject of a certificate; found again on the token by its value. Throws Error (busy) that
// says so if the token does not have it.
CK_OBJECT_HANDLE store_certificate(pkcs11::Session& session, std::string_view label, pkcs11::ByteView id,
                                   const Certificate& certificate);

// C_SetAttributeValue of CKA_ID or CKA_LABEL, read back likewise. A label that is longer than the old one is
// written only if the token has shown that it has room.
void store_id(pkcs11::Session& session, CK_OBJECT_HANDLE object, pkcs11::ByteView id);
void store_label(pkcs11::Session& session, CK_OBJECT_HANDLE object, std::string_view label);

// Throws Error (busy) unless the token takes a public key as large as that many objects may grow by, which
// is destroyed at once. SoftHSM writes an object's file anew where it is, and does not see that the end of it
// found no room: on a full disk, a key whose file grows by a page is destroyed, and C_SetAttributeValue
// answers CKR_OK. The public key has an unfinished label, for the case that this program ends before it is
// destroyed.
void require_room(pkcs11::Session& session, std::size_t objects, std::size_t growth);

// Throws Error (busy) that names the function unless a search for these attributes finds the object.
void require_stored(pkcs11::Session& session, CK_OBJECT_HANDLE object, pkcs11::Template attributes,
                    const char* function);
// The same of several that have these attributes in common: one search.
void require_stored(pkcs11::Session& session, std::initializer_list<CK_OBJECT_HANDLE> objects,
                    pkcs11::Template attributes, const char* function);

// The counterpart after C_DestroyObject: throws Error (busy) if the search still finds the object.
void require_gone(pkcs11::Session& session, CK_OBJECT_HANDLE object, pkcs11::Template attributes);

// C_DestroyObject; an object that another program destroyed in the meantime is gone as well.
void destroy_if_there(pkcs11::Session& session, CK_OBJECT_HANDLE object);

// What is destroyed again unless it is kept. The first error is what the caller must hear; what a token that
// fails here too keeps has an unfinished label.
class MadeObjects final {
 public:
  explicit MadeObjects(pkcs11::Session& session) : session_(session) {}
  MadeObjects(const MadeObjects&) = delete;
  MadeObjects& operator=(const MadeObjects&) = delete;
  ~MadeObjects();

  CK_OBJECT_HANDLE add(CK_OBJECT_HANDLE object) { return objects_.emplace_back(object); }
  void keep() noexcept { objects_.clear(); }

 private:
  pkcs11::Session& session_;
  std::vector<CK_OBJECT_HANDLE> objects_;
};

}  // namespace keystay::keys
