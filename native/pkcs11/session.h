// A session (PKCS #11 v3.0, section 5.6) and what is done through it. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "native/pkcs11/attributes.h"
#include "native/pkcs11/mechanism.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/token_info.h"

namespace keystay::pkcs11 {

enum class SessionKind { read_only, read_write };

// What is done between the beginning of an operation and the operation.
using OperationBegun = std::function<void()>;

class Session;

// Makes a session's calls for a thread that works with the session and is not to wait for a call that does
// not return.
class SessionThread {
 public:
  SessionThread() = default;
  SessionThread(const SessionThread&) = delete;
  SessionThread& operator=(const SessionThread&) = delete;
  virtual ~SessionThread() = default;

  // Has `call` made with the session, and returns when it was. Throws what it throws, or Error (server) where
  // it does not return in time: `call` is left then, and owns all that it works with.
  virtual void make(std::function<void(Session&)> call) = 0;
};

// Move-only; its destructor calls C_CloseSession, unless the module was re-initialised or the process forked
// since.
class Session final {
 public:
  // C_OpenSession.
  Session(Module& module, CK_SLOT_ID slot, SessionKind kind, Deadline deadline);
  // A view of `other`, for reading, whose calls `thread` makes. Both outlive it.
  Session(const Session& other, SessionThread& thread) noexcept;
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  // Whether the module still is what it was when the session was opened.
  [[nodiscard]] bool alive() const;
  // Of the module, when it was opened: Module::generation().
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] CK_STATE state();        // C_GetSessionInfo
  [[nodiscard]] TokenInfo token_info();  // C_GetTokenInfo, as things are now
  // C_Login as the user; no PIN for a token with a PIN pad. False where the user is logged in already: then
  // the token has not looked at the PIN.
  [[nodiscard]] bool login(const Pin* pin);

  // C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal. All matches.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find_objects(Template search);
  // Those of them that are token objects: copies of keys are session objects, and no aliases.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find_token_objects(Template search);
  // C_GetAttributeValue, one call where the values fit. Attributes the object lacks or hides are left out.
  [[nodiscard]] Attributes attributes(CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types);

  CK_OBJECT_HANDLE create_object(Template object);                                        // C_CreateObject
  [[nodiscard]] CK_OBJECT_HANDLE copy_object(CK_OBJECT_HANDLE object, Template changes);  // C_CopyObject
  // Whether C_CopyObject has not returned for some session of this module in this process.
  [[nodiscard]] bool copying() const { return module_.copying(); }
  void set_attributes(CK_OBJECT_HANDLE object, Template changes);  // C_SetAttributeValue
  void destroy_object(CK_OBJECT_HANDLE object);                    // C_DestroyObject

  struct KeyPair {
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
  };
  // C_GenerateKeyPair, with a mechanism that takes no parameter.
  KeyPair generate_key_pair(CK_MECHANISM_TYPE mechanism, Template public_key, Template private_key);

  CK_OBJECT_HANDLE generate_key(CK_MECHANISM_TYPE mechanism, Template key);  // C_GenerateKey, likewise
  // C_WrapKey, C_UnwrapKey. The mechanism's parameters are borrowed.
  [[nodiscard]] Bytes wrap_key(CK_MECHANISM mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key);
  CK_OBJECT_HANDLE unwrap_key(CK_MECHANISM mechanism, CK_OBJECT_HANDLE unwrapping_key, ByteView wrapped,
                              Template key);

  // C_Login for the operation that was just begun (CKU_CONTEXT_SPECIFIC), as a key with
  // CKA_ALWAYS_AUTHENTICATE wants it for each (section 4.9); no PIN for a token with a PIN pad.
  void login_for_operation(const Pin* pin);

  // Performs an operation (mechanism.h), with `begun`, if there is one, between C_SignInit and C_Sign or
  // their like. Returns the length of the result. The session object that holds an agreed or a wrapped secret
  // for a moment is destroyed.
  std::size_t perform(CK_OBJECT_HANDLE key, const Operation& operation, ByteView data,
                      std::span<std::uint8_t> result, const OperationBegun& begun = {});
  // C_VerifyInit, C_Verify. Throws Error for everything but a signature that is wrong.
  [[nodiscard]] bool verifies(CK_OBJECT_HANDLE public_key, const Sign& operation, ByteView data,
                              ByteView signature);
  // A MAC over a message in parts: C_SignInit, C_SignUpdate for each, C_SignFinal, which returns its length.
  // One that is begun and not ended leaves a session of no use.
  void begin_mac(CK_OBJECT_HANDLE key, const Mac& operation);
  void continue_mac(ByteView part);
  [[nodiscard]] std::size_t end_mac(std::span<std::uint8_t> result);
  // C_GenerateRandom.
  void generate_random(std::span<std::uint8_t> random);

  // `call` with this session, by the thread that makes its calls. It owns all that it works with.
  void on_its_thread(std::function<void(Session&)> call);

 private:
  struct Performer;
  // What `call`, which is made on_its_thread(), returns.
  template <typename Call>
  auto answer_of(Call call);
  // C_DeriveKey by ECDH; reads and destroys what it makes.
  void agree(CK_OBJECT_HANDLE key, ByteView peer_point, std::span<std::uint8_t> secret);
  // Straight into the caller's memory: a copy on the way would have to be wiped. Destroys the object.
  void take_secret(CK_OBJECT_HANDLE object, std::span<std::uint8_t> secret, const char* function);
  // See WrapSecret.
  std::size_t wrap_secret(CK_OBJECT_HANDLE key, ByteView secret, std::span<std::uint8_t> wrapped);
  std::size_t unwrap_secret(CK_OBJECT_HANDLE key, ByteView wrapped, std::span<std::uint8_t> secret);

  Module& module_;
  CK_FUNCTION_LIST& functions_;
  CK_SLOT_ID slot_;
  std::uint64_t process_;
  std::uint64_t generation_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  SessionThread* thread_ = nullptr;  // of a view
};

}  // namespace keystay::pkcs11
