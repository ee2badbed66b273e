#include "native/remote/remote_cryptoki.h"

#include <string>
#include <string_view>

#include "native/pkcs11/error.h"

namespace keystay::remote {
namespace {

constexpr std::string_view kHandshake = "PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1";

std::span<const CK_ATTRIBUTE> view(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return {attributes, count};
}

}  // namespace

CK_RV RemoteCryptoki::handle_of(Request& request, CK_ULONG* handle) {
  Response response = lane_.call(request);
  if (response.rv() == CKR_OK) *handle = response.number();
  return response.rv();
}

CK_RV RemoteCryptoki::without_result(Request& request) { return lane_.call(request).rv(); }

CK_RV RemoteCryptoki::call_noexcept(Call call, CK_SESSION_HANDLE session) noexcept {
  try {
    if (!lane_.is_open()) return CKR_SESSION_HANDLE_INVALID;
    Request request(call);
    if (call != Call::finalize) request.number(session);
    return without_result(request);
  } catch (...) {
    return CKR_DEVICE_ERROR;
  }
}

// The server's C_Initialize belongs to the connection: each has a server of its own.
CK_RV RemoteCryptoki::initialize(void*) {
  lane_.open();
  constexpr CK_BYTE kNoArguments = 0;
  Request request(Call::initialize);
  request.bytes(reinterpret_cast<const CK_BYTE*>(kHandshake.data()), kHandshake.size())
      .byte(0)
      .bytes(&kNoArguments, 1);
  return without_result(request);
}

CK_RV RemoteCryptoki::finalize(void*) {
  lane_.close();  // the server finalises its module at the end of the connection
  Begun& begun = begun_.get();
  const pkcs11::MutexLock lock(begun.mutex);
  begun.requests.clear();
  return CKR_OK;
}

CK_RV RemoteCryptoki::get_slot_list(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  Request request(Call::get_slot_list);
  request.byte(token_present).room(slots != nullptr ? *count : 0);
  Response response = lane_.call(request);
  return response.rv() != CKR_OK ? response.rv() : response.numbers(slots, *count);
}

CK_RV RemoteCryptoki::get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  Request request(Call::get_token_info);
  request.number(slot);
  Response response = lane_.call(request);
  if (response.rv() != CKR_OK) return response.rv();
  response.text(info->label);
  response.text(info->manufacturerID);
  response.text(info->model);
  response.text(info->serialNumber);
  for (CK_ULONG* number :
       {&info->flags, &info->ulMaxSessionCount, &info->ulSessionCount, &info->ulMaxRwSessionCount,
        &info->ulRwSessionCount, &info->ulMaxPinLen, &info->ulMinPinLen, &info->ulTotalPublicMemory,
        &info->ulFreePublicMemory, &info->ulTotalPrivateMemory, &info->ulFreePrivateMemory})
    *number = response.number();
  info->hardwareVersion = response.version();
  info->firmwareVersion = response.version();
  response.text(info->utcTime);
  return CKR_OK;
}

CK_RV RemoteCryptoki::get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  Request request(Call::get_mechanism_info);
  request.number(slot).number(type);
  Response response = lane_.call(request);
  if (response.rv() != CKR_OK) return response.rv();
  info->ulMinKeySize = response.number();
  info->ulMaxKeySize = response.number();
  info->flags = response.number();
  return CKR_OK;
}

CK_RV RemoteCryptoki::open_session(CK_SLOT_ID slot, CK_FLAGS flags, void*, CK_NOTIFY,
                                   CK_SESSION_HANDLE* session) {
  Request request(Call::open_session);
  request.number(slot).number(flags);
  return handle_of(request, session);
}

CK_RV RemoteCryptoki::close_session(CK_SESSION_HANDLE session) {
  static_cast<void>(take_begun(session));
  return call_noexcept(Call::close_session, session);
}

CK_RV RemoteCryptoki::get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  Request request(Call::get_session_info);
  request.number(session);
  Response response = lane_.call(request);
  if (response.rv() != CKR_OK) return response.rv();
  info->slotID = response.number();
  info->state = response.number();
  info->flags = response.number();
  info->ulDeviceError = response.number();
  return CKR_OK;
}

// A login for the operation that was begun (CKU_CONTEXT_SPECIFIC) is one after its beginning.
CK_RV RemoteCryptoki::login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
  if (const auto begun = take_begun(session)) {
    const CK_RV rv = without_result(*begun);
    if (rv != CKR_OK) throw pkcs11::Error(rv, function_name(begun->call()));
  }
  Request request(Call::login);
  request.number(session).number(user).bytes(pin, size);
  return without_result(request);
}

CK_RV RemoteCryptoki::create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE* object, CK_ULONG count,
                                    CK_OBJECT_HANDLE* handle) {
  Request request(Call::create_object);
  request.number(session).attributes(view(object, count));
  return handle_of(request, handle);
}

CK_RV RemoteCryptoki::copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* changes,
                                  CK_ULONG count, CK_OBJECT_HANDLE* copy) {
  Request request(Call::copy_object);
  request.number(session).number(object).attributes(view(changes, count));
  return handle_of(request, copy);
}

CK_RV RemoteCryptoki::destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  Request request(Call::destroy_object);
  request.number(session).number(object);
  return without_result(request);
}

CK_RV RemoteCryptoki::get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                          CK_ATTRIBUTE* places, CK_ULONG count) {
  Request request(Call::get_attribute_value);
  request.number(session).number(object).room(view(places, count));
  Response response = lane_.call(request);
  return response.rv() != CKR_OK ? response.rv() : response.attributes({places, count});
}

CK_RV RemoteCryptoki::set_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                          CK_ATTRIBUTE* values, CK_ULONG count) {
  Request request(Call::set_attribute_value);
  request.number(session).number(object).attributes(view(values, count));
  return without_result(request);
}

CK_RV RemoteCryptoki::find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* search, CK_ULONG count) {
  Request request(Call::find_objects_init);
  request.number(session).attributes(view(search, count));
  return without_result(request);
}

CK_RV RemoteCryptoki::find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most,
                                   CK_ULONG* count) {
  Request request(Call::find_objects);
  request.number(session).room(most);
  Response response = lane_.call(request);
  *count = most;
  return response.rv() != CKR_OK ? response.rv() : response.numbers(objects, *count);
}

CK_RV RemoteCryptoki::find_objects_final(CK_SESSION_HANDLE session) {
  return call_noexcept(Call::find_objects_final, session);
}

CK_RV RemoteCryptoki::begin(Call call, CK_SESSION_HANDLE session, const CK_MECHANISM& mechanism,
                            CK_OBJECT_HANDLE key) {
  auto request = std::make_unique<Request>(call);
  request->number(session).mechanism(mechanism, lane_.version()).number(key);
  Begun& begun = begun_.get();
  const pkcs11::MutexLock lock(begun.mutex);
  begun.requests[session] = std::move(request);
  return CKR_OK;
}

std::unique_ptr<Request> RemoteCryptoki::take_begun(CK_SESSION_HANDLE session) {
  Begun& begun = begun_.get();
  const pkcs11::MutexLock lock(begun.mutex);
  const auto at = begun.requests.find(session);
  return at == begun.requests.end() ? nullptr : std::exchange(at->second, nullptr);
}

CK_RV RemoteCryptoki::operate(Call call, CK_SESSION_HANDLE session, ByteView data, CK_BYTE* result,
                              CK_ULONG* size) {
  static constexpr CK_BYTE kNothing = 0;
  Request request(call);
  request.number(session).bytes(data.data() != nullptr ? data.data() : &kNothing, data.size());
  request.room(result != nullptr ? *size : 0);
  const auto begun = take_begun(session);
  if (!begun) {
    Response response = lane_.call(request);
    return response.rv() != CKR_OK ? response.rv() : response.bytes(result, *size);
  }
  Lane::Two responses = lane_.call(*begun, request);
  if (responses.first.rv() != CKR_OK) throw pkcs11::Error(responses.first.rv(), function_name(begun->call()));
  return responses.second.rv() != CKR_OK ? responses.second.rv() : responses.second.bytes(result, *size);
}

CK_RV RemoteCryptoki::sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return begin(Call::sign_init, session, *mechanism, key);
}

CK_RV RemoteCryptoki::sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature,
                           CK_ULONG* signed_size) {
  return operate(Call::sign, session, {data, size}, signature, signed_size);
}

// What was begun goes before the first part of a message.
void RemoteCryptoki::send_begun(CK_SESSION_HANDLE session) {
  const auto begun = take_begun(session);
  if (!begun) return;
  const Response response = lane_.call(*begun);
  if (response.rv() != CKR_OK) throw pkcs11::Error(response.rv(), function_name(begun->call()));
}

CK_RV RemoteCryptoki::sign_update(CK_SESSION_HANDLE session, CK_BYTE* part, CK_ULONG size) {
  send_begun(session);
  Request request(Call::sign_update);
  request.number(session).bytes(part, size);
  return without_result(request);
}

CK_RV RemoteCryptoki::sign_final(CK_SESSION_HANDLE session, CK_BYTE* signature, CK_ULONG* size) {
  send_begun(session);
  Request request(Call::sign_final);
  request.number(session).room(*size);
  Response response = lane_.call(request);
  return response.rv() != CKR_OK ? response.rv() : response.bytes(signature, *size);
}

// Not in one way with C_VerifyInit: it is done once for a key.
CK_RV RemoteCryptoki::verify_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  Request request(Call::verify_init);
  request.number(session).mechanism(*mechanism, lane_.version()).number(key);
  return without_result(request);
}

CK_RV RemoteCryptoki::verify(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature,
                             CK_ULONG signed_size) {
  Request request(Call::verify);
  request.number(session).bytes(data, size).bytes(signature, signed_size);
  return without_result(request);
}

CK_RV RemoteCryptoki::encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return begin(Call::encrypt_init, session, *mechanism, key);
}

CK_RV RemoteCryptoki::encrypt(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* cipher,
                              CK_ULONG* cipher_size) {
  return operate(Call::encrypt, session, {data, size}, cipher, cipher_size);
}

CK_RV RemoteCryptoki::decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return begin(Call::decrypt_init, session, *mechanism, key);
}

CK_RV RemoteCryptoki::decrypt(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* plain,
                              CK_ULONG* plain_size) {
  return operate(Call::decrypt, session, {data, size}, plain, plain_size);
}

CK_RV RemoteCryptoki::generate_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* key,
                                   CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  Request request(Call::generate_key);
  request.number(session).mechanism(*mechanism, lane_.version()).attributes(view(key, count));
  return handle_of(request, handle);
}

CK_RV RemoteCryptoki::generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                        CK_ATTRIBUTE* public_key, CK_ULONG public_count,
                                        CK_ATTRIBUTE* private_key, CK_ULONG private_count,
                                        CK_OBJECT_HANDLE* public_handle, CK_OBJECT_HANDLE* private_handle) {
  Request request(Call::generate_key_pair);
  request.number(session)
      .mechanism(*mechanism, lane_.version())
      .attributes(view(public_key, public_count))
      .attributes(view(private_key, private_count));
  Response response = lane_.call(request);
  if (response.rv() != CKR_OK) return response.rv();
  *public_handle = response.number();
  *private_handle = response.number();
  return CKR_OK;
}

CK_RV RemoteCryptoki::wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping,
                               CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size) {
  Request request(Call::wrap_key);
  request.number(session).mechanism(*mechanism, lane_.version()).number(wrapping).number(key);
  request.room(wrapped != nullptr ? *size : 0);
  Response response = lane_.call(request);
  return response.rv() != CKR_OK ? response.rv() : response.bytes(wrapped, *size);
}

CK_RV RemoteCryptoki::unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                 CK_OBJECT_HANDLE unwrapping, CK_BYTE* wrapped, CK_ULONG size,
                                 CK_ATTRIBUTE* key, CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  Request request(Call::unwrap_key);
  request.number(session).mechanism(*mechanism, lane_.version()).number(unwrapping).bytes(wrapped, size);
  request.attributes(view(key, count));
  return handle_of(request, handle);
}

CK_RV RemoteCryptoki::derive_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base,
                                 CK_ATTRIBUTE* key, CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  Request request(Call::derive_key);
  request.number(session).mechanism(*mechanism, lane_.version()).number(base).attributes(view(key, count));
  return handle_of(request, handle);
}

CK_RV RemoteCryptoki::generate_random(CK_SESSION_HANDLE session, CK_BYTE* random, CK_ULONG size) {
  Request request(Call::generate_random);
  request.number(session).room(size);
  Response response = lane_.call(request);
  if (response.rv() != CKR_OK) return response.rv();
  const CK_ULONG wanted = size;
  const CK_RV rv = response.bytes(random, size);
  if (rv != CKR_OK || size == wanted) return rv;
  throw pkcs11::Error(CKR_DEVICE_ERROR, "C_GenerateRandom: the other machine answers " +
                                            std::to_string(size) + " bytes instead of " +
                                            std::to_string(wanted));
}

}  // namespace keystay::remote
