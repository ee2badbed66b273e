// Cryptoki over a lane: what a module's functions do for a token on another machine. Of each function the
// meaning is that of PKCS #11 v3.0; what is not here Keystay has no use for.
#pragma once

#include <map>
#include <memory>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/remote/lane.h"

namespace keystay::remote {

// Thread-safe. A failed connection is thrown as pkcs11::Error, with its reason, since no return value has
// room for it; but close_session(), find_objects_final() and finalize(), which destructors call, throw
// nothing.
class RemoteCryptoki final {
 public:
  explicit RemoteCryptoki(std::shared_ptr<Connector> connector) : lane_(std::move(connector)) {}

  CK_RV initialize(void* arguments);
  CK_RV finalize(void* reserved);
  CK_RV get_slot_list(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count);
  CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info);
  CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info);
  CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                     CK_SESSION_HANDLE* session);
  CK_RV close_session(CK_SESSION_HANDLE session);
  CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO* info);
  CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size);
  CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE* object, CK_ULONG count,
                      CK_OBJECT_HANDLE* handle);
  CK_RV copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* changes, CK_ULONG count,
                    CK_OBJECT_HANDLE* copy);
  CK_RV destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object);
  CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* places,
                            CK_ULONG count);
  CK_RV set_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* values,
                            CK_ULONG count);
  CK_RV find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* search, CK_ULONG count);
  CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most, CK_ULONG* count);
  CK_RV find_objects_final(CK_SESSION_HANDLE session);
  // The beginning of an operation is not sent before the operation, which saves it a way to the server and
  // back: where it fails, the operation says so.
  CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature,
             CK_ULONG* signed_size);
  CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE* part, CK_ULONG size);
  CK_RV sign_final(CK_SESSION_HANDLE session, CK_BYTE* signature, CK_ULONG* size);
  CK_RV verify_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  CK_RV verify(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature,
               CK_ULONG signed_size);
  CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  CK_RV encrypt(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* cipher,
                CK_ULONG* cipher_size);
  CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* plain,
                CK_ULONG* plain_size);
  CK_RV generate_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* key, CK_ULONG count,
                     CK_OBJECT_HANDLE* handle);
  CK_RV generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_key,
                          CK_ULONG public_count, CK_ATTRIBUTE* private_key, CK_ULONG private_count,
                          CK_OBJECT_HANDLE* public_handle, CK_OBJECT_HANDLE* private_handle);
  CK_RV wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping,
                 CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size);
  CK_RV unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping,
                   CK_BYTE* wrapped, CK_ULONG size, CK_ATTRIBUTE* key, CK_ULONG count,
                   CK_OBJECT_HANDLE* handle);
  CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base,
                   CK_ATTRIBUTE* key, CK_ULONG count, CK_OBJECT_HANDLE* handle);
  CK_RV generate_random(CK_SESSION_HANDLE session, CK_BYTE* random, CK_ULONG size);

 private:
  CK_RV begin(Call call, CK_SESSION_HANDLE session, const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key);
  CK_RV operate(Call call, CK_SESSION_HANDLE session, ByteView data, CK_BYTE* result, CK_ULONG* size);
  void send_begun(CK_SESSION_HANDLE session);
  [[nodiscard]] std::unique_ptr<Request> take_begun(CK_SESSION_HANDLE session);
  CK_RV handle_of(Request& request, CK_ULONG* handle);
  CK_RV without_result(Request& request);
  CK_RV call_noexcept(Call call, CK_SESSION_HANDLE session) noexcept;

  Lane lane_;
  // Not sent yet. A child that is forked begins with none, and with a mutex that nobody holds.
  struct Begun {
    pkcs11::Mutex mutex;
    std::map<CK_SESSION_HANDLE, std::unique_ptr<Request>> requests KEYSTAY_GUARDED_BY(mutex);
  };
  pkcs11::PerProcess<Begun> begun_{[] { return std::make_unique<Begun>(); }};
};

}  // namespace keystay::remote
