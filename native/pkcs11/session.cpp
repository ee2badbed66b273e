#include "native/pkcs11/session.h"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module_call.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/slot.h"

namespace keystay::pkcs11 {
namespace {

// What attributes fit in: an RSA-16384 modulus, a name, a label. Only a CKA_VALUE may be longer, a
// certificate's; it costs a second call then.
constexpr std::size_t kUsualValueSize = 2048;
// No certificate of any use is longer. A longer value counts as absent: a module may answer any length.
constexpr std::size_t kLongestValue = std::size_t{1} << 20U;
// An RSA-16384 key in PKCS #8 takes less than 10 KiB.
constexpr std::size_t kLongestWrappedKey = std::size_t{1} << 14U;

// Nor does any token have more objects. A search that does not end is a fault of what answers it.
constexpr std::size_t kMostObjects = std::size_t{1} << 20U;

// NSS softokn takes a place of exactly their size for attributes that are a CK_ULONG, and no larger one.
constexpr std::array<CK_ATTRIBUTE_TYPE, 4> kNumbers = {CKA_CLASS, CKA_KEY_TYPE, CKA_CERTIFICATE_TYPE,
                                                       CKA_MODULUS_BITS};

std::size_t usual_size(CK_ATTRIBUTE_TYPE type) {
  return std::find(kNumbers.begin(), kNumbers.end(), type) != kNumbers.end() ? sizeof(CK_ULONG)
                                                                             : kUsualValueSize;
}

// The codes by which C_GetAttributeValue says that it answered what it could (section 5.7.5).
bool answered(CK_RV rv) noexcept {
  return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
         rv == CKR_BUFFER_TOO_SMALL;
}

// Whether a value may be there that did not fit. Where another attribute is absent as well, the code may
// speak of that.
bool may_be_too_long(CK_RV rv, const std::vector<CK_ATTRIBUTE>& batch) {
  if (rv == CKR_BUFFER_TOO_SMALL) return true;
  return rv != CKR_OK && std::any_of(batch.begin(), batch.end(), [](const CK_ATTRIBUTE& attribute) {
           return attribute.type == CKA_VALUE && attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION;
         });
}

}  // namespace

Session::Session(Module& module, CK_SLOT_ID slot, SessionKind kind, Deadline deadline)
    : module_(module),
      functions_(module.functions(deadline)),
      slot_(slot),
      process_(process_generation()),
      generation_(module.generation()) {
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (kind == SessionKind::read_write ? CKF_RW_SESSION : 0UL);
  check(ModuleCall(functions_)->C_OpenSession(slot, flags, nullptr, nullptr, &handle_), "C_OpenSession");
}

Session::Session(const Session& other, SessionThread& thread) noexcept
    : module_(other.module_),
      functions_(other.functions_),
      slot_(other.slot_),
      process_(other.process_),
      generation_(other.generation_),
      thread_(&thread) {}

Session::Session(Session&& other) noexcept
    : module_(other.module_),
      functions_(other.functions_),
      slot_(other.slot_),
      process_(other.process_),
      generation_(other.generation_),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      thread_(other.thread_) {}

Session::~Session() {
  if (handle_ == CK_INVALID_HANDLE || process_ != process_generation()) return;
  // The number of a session that went with its generation may be another's by now.
  const std::optional<Module::Use> use = module_.try_use();
  if (use && alive())
    static_cast<void>(ModuleCall(functions_)->C_CloseSession(handle_));  // fails where it is gone already
}

bool Session::alive() const {
  return process_ == process_generation() && generation_ == module_.generation();
}

void Session::on_its_thread(std::function<void(Session&)> call) {
  if (thread_)
    thread_->make(std::move(call));
  else
    call(*this);
}

template <typename Call>
auto Session::answer_of(Call call) {
  using Answer = std::invoke_result_t<Call&, Session&>;
  const auto kept = std::make_shared<Call>(std::move(call));
  const auto answer = std::make_shared<std::optional<Answer>>();
  on_its_thread([kept, answer](Session& own) { answer->emplace((*kept)(own)); });
  return std::move(**answer);
}

CK_STATE Session::state() {
  if (thread_) return answer_of([](Session& own) { return own.state(); });
  CK_SESSION_INFO info{};
  check(ModuleCall(functions_)->C_GetSessionInfo(handle_, &info), "C_GetSessionInfo");
  return info.state;
}

TokenInfo Session::token_info() { return pkcs11::token_info(functions_, slot_); }

bool Session::login(const Pin* pin) {
  // Cryptoki reads the PIN; its prototype only lacks the const.
  const CK_RV rv =
      ModuleCall(functions_)
          ->C_Login(handle_, CKU_USER, pin ? const_cast<CK_UTF8CHAR*>(pin->bytes().data()) : nullptr,
                    pin ? pin->size() : 0);
  if (rv == CKR_USER_ALREADY_LOGGED_IN) return false;
  check(rv, "C_Login");
  return true;
}

void Session::login_for_operation(const Pin* pin) {
  check(ModuleCall(functions_)
            ->C_Login(handle_, CKU_CONTEXT_SPECIFIC,
                      pin ? const_cast<CK_UTF8CHAR*>(pin->bytes().data()) : nullptr, pin ? pin->size() : 0),
        "C_Login");
}

std::vector<CK_OBJECT_HANDLE> Session::find_objects(Template search) {
  if (thread_) {
    return answer_of(
        [search = std::move(search)](Session& own) mutable { return own.find_objects(std::move(search)); });
  }
  check(ModuleCall(functions_)->C_FindObjectsInit(handle_, search.data(), search.size()),
        "C_FindObjectsInit");
  struct Final {  // also on an error: a session with a search left over is of no use
    CK_FUNCTION_LIST& functions;
    CK_SESSION_HANDLE handle;
    ~Final() { static_cast<void>(ModuleCall(functions)->C_FindObjectsFinal(handle)); }
  } final_call{functions_, handle_};

  std::vector<CK_OBJECT_HANDLE> objects;
  std::array<CK_OBJECT_HANDLE, 256> batch{};
  CK_ULONG count = 0;
  do {
    check(ModuleCall(functions_)->C_FindObjects(handle_, batch.data(), batch.size(), &count),
          "C_FindObjects");
    if (count > batch.size() || objects.size() > kMostObjects)
      throw Error(ErrorClass::server, "C_FindObjects: it finds more objects than any token has");
    objects.insert(objects.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
  } while (count > 0);
  return objects;
}

std::vector<CK_OBJECT_HANDLE> Session::find_token_objects(Template search) {
  search.flag(CKA_TOKEN, true);
  return find_objects(std::move(search));
}

Attributes Session::attributes(CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types) {
  if (thread_) {
    return answer_of([object, wanted = std::vector(types.begin(), types.end())](Session& own) {
      return own.attributes(object, wanted);
    });
  }
  std::vector<Bytes> values(types.size());
  std::vector<CK_ATTRIBUTE> batch(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    values[i].resize(usual_size(types[i]));
    batch[i] = {types[i], values[i].data(), values[i].size()};
  }

  CK_RV rv = ModuleCall(functions_)->C_GetAttributeValue(handle_, object, batch.data(), batch.size());
  if (may_be_too_long(rv, batch)) {
    for (CK_ATTRIBUTE& attribute : batch) attribute.pValue = nullptr;  // asks for the lengths
    rv = ModuleCall(functions_)->C_GetAttributeValue(handle_, object, batch.data(), batch.size());
    if (!answered(rv)) check(rv, "C_GetAttributeValue");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].ulValueLen > kLongestValue) batch[i].ulValueLen = 0;  // CK_UNAVAILABLE_INFORMATION is
      values[i].resize(std::max<std::size_t>(usual_size(types[i]), batch[i].ulValueLen));
      batch[i] = {types[i], values[i].data(), values[i].size()};
    }
    rv = ModuleCall(functions_)->C_GetAttributeValue(handle_, object, batch.data(), batch.size());
  }
  if (!answered(rv)) check(rv, "C_GetAttributeValue");

  Attributes answer;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].ulValueLen > values[i].size()) continue;  // CK_UNAVAILABLE_INFORMATION
    values[i].resize(batch[i].ulValueLen);
    answer.put(types[i], std::move(values[i]));
  }
  return answer;
}

CK_OBJECT_HANDLE Session::create_object(Template object) {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  check(ModuleCall(functions_)->C_CreateObject(handle_, object.data(), object.size(), &handle),
        "C_CreateObject");
  return handle;
}

CK_OBJECT_HANDLE Session::copy_object(CK_OBJECT_HANDLE object, Template changes) {
  const Module::Use in_flight = module_.begin_copy();
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  check(ModuleCall(functions_)->C_CopyObject(handle_, object, changes.data(), changes.size(), &copy),
        "C_CopyObject");
  return copy;
}

void Session::set_attributes(CK_OBJECT_HANDLE object, Template changes) {
  check(ModuleCall(functions_)->C_SetAttributeValue(handle_, object, changes.data(), changes.size()),
        "C_SetAttributeValue");
}

void Session::destroy_object(CK_OBJECT_HANDLE object) {
  check(ModuleCall(functions_)->C_DestroyObject(handle_, object), "C_DestroyObject");
}

Session::KeyPair Session::generate_key_pair(CK_MECHANISM_TYPE mechanism, Template public_key,
                                            Template private_key) {
  CK_MECHANISM parameters{mechanism, nullptr, 0};
  KeyPair pair{};
  check(ModuleCall(functions_)
            ->C_GenerateKeyPair(handle_, &parameters, public_key.data(), public_key.size(),
                                private_key.data(), private_key.size(), &pair.public_key, &pair.private_key),
        "C_GenerateKeyPair");
  return pair;
}

CK_OBJECT_HANDLE Session::generate_key(CK_MECHANISM_TYPE mechanism, Template key) {
  CK_MECHANISM parameters{mechanism, nullptr, 0};
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  check(ModuleCall(functions_)->C_GenerateKey(handle_, &parameters, key.data(), key.size(), &handle),
        "C_GenerateKey");
  return handle;
}

Bytes Session::wrap_key(CK_MECHANISM mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key) {
  Bytes wrapped(kLongestWrappedKey);
  CK_ULONG size = wrapped.size();
  check(ModuleCall(functions_)->C_WrapKey(handle_, &mechanism, wrapping_key, key, wrapped.data(), &size),
        "C_WrapKey");
  wrapped.resize(std::min<std::size_t>(size, wrapped.size()));
  return wrapped;
}

CK_OBJECT_HANDLE Session::unwrap_key(CK_MECHANISM mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                     ByteView wrapped, Template key) {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  // Cryptoki reads the wrapped key; its prototype only lacks the const.
  check(ModuleCall(functions_)
            ->C_UnwrapKey(handle_, &mechanism, unwrapping_key, const_cast<CK_BYTE*>(wrapped.data()),
                          wrapped.size(), key.data(), key.size(), &handle),
        "C_UnwrapKey");
  return handle;
}

// One operation, by its kind.
struct Session::Performer {
  Session& session;
  CK_OBJECT_HANDLE key;
  ByteView data;
  std::span<std::uint8_t> result;
  const OperationBegun& begun;

  // Cryptoki reads the data; its prototype only lacks the const. SoftHSM takes no null pointer, not even for
  // a message without bytes.
  [[nodiscard]] CK_BYTE* input() const {
    static constexpr CK_BYTE kNothing = 0;
    return const_cast<CK_BYTE*>(data.empty() ? &kNothing : data.data());
  }

  [[nodiscard]] std::size_t sign(CK_MECHANISM* mechanism) const {
    CK_FUNCTION_LIST& functions = session.functions_;
    check(ModuleCall(functions)->C_SignInit(session.handle_, mechanism, key), "C_SignInit");
    if (begun) begun();
    CK_ULONG size = result.size();
    check(ModuleCall(functions)->C_Sign(session.handle_, input(), data.size(), result.data(), &size),
          "C_Sign");
    return size;
  }

  [[nodiscard]] std::size_t decrypt(CK_MECHANISM* mechanism, const char* fault) const {
    CK_FUNCTION_LIST& functions = session.functions_;
    check(ModuleCall(functions)->C_DecryptInit(session.handle_, mechanism, key), "C_DecryptInit");
    if (begun) begun();
    CK_ULONG size = result.size();
    const CK_RV rv =
        ModuleCall(functions)->C_Decrypt(session.handle_, input(), data.size(), result.data(), &size);
    // SoftHSM answers this for wrong padding or a wrong tag, which any client can send: it must not lead to a
    // repair of the token.
    if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED)
      throw Error(CKR_ENCRYPTED_DATA_INVALID, "C_Decrypt: " + describe(rv) + fault);
    check(rv, "C_Decrypt");
    return size;
  }

  std::size_t operator()(const Sign& operation) const {
    MechanismParameters parameters(operation);
    return sign(parameters.get());
  }
  std::size_t operator()(const Mac& operation) const {
    MechanismParameters parameters(operation);
    return sign(parameters.get());
  }

  std::size_t operator()(const Decrypt& operation) const {
    MechanismParameters parameters(operation);
    return decrypt(parameters.get(), "; the ciphertext is wrong, or the token is sick");
  }
  std::size_t operator()(const DecryptAesGcm& operation) const {
    MechanismParameters parameters(operation.parameters);
    return decrypt(parameters.get(), "; the ciphertext, its tag or what it was made with is another");
  }

  std::size_t operator()(const EncryptAesGcm& operation) const {
    CK_FUNCTION_LIST& functions = session.functions_;
    MechanismParameters parameters(operation.parameters);
    check(ModuleCall(functions)->C_EncryptInit(session.handle_, parameters.get(), key), "C_EncryptInit");
    if (begun) begun();
    CK_ULONG size = result.size();
    check(ModuleCall(functions)->C_Encrypt(session.handle_, input(), data.size(), result.data(), &size),
          "C_Encrypt");
    return size;
  }

  std::size_t operator()(WrapSecret) const { return session.wrap_secret(key, data, result); }
  std::size_t operator()(UnwrapSecret) const { return session.unwrap_secret(key, data, result); }

  std::size_t operator()(AgreeEcdh) const {
    session.agree(key, data, result);
    return result.size();
  }
};

std::size_t Session::perform(CK_OBJECT_HANDLE key, const Operation& operation, ByteView data,
                             std::span<std::uint8_t> result, const OperationBegun& begun) {
  return std::visit(Performer{*this, key, data, result, begun}, operation);
}

void Session::agree(CK_OBJECT_HANDLE key, ByteView peer_point, std::span<std::uint8_t> secret) {
  CK_ECDH1_DERIVE_PARAMS ecdh{};
  ecdh.kdf = CKD_NULL;
  ecdh.pPublicData = const_cast<CK_BYTE*>(peer_point.data());
  ecdh.ulPublicDataLen = peer_point.size();
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh};
  Template shared;
  shared.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
      .flag(CKA_TOKEN, false)
      .flag(CKA_SENSITIVE, false)
      .flag(CKA_EXTRACTABLE, true)
      .number(CKA_VALUE_LEN, secret.size());
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  check(ModuleCall(functions_)->C_DeriveKey(handle_, &mechanism, key, shared.data(), shared.size(), &object),
        "C_DeriveKey");
  take_secret(object, secret, "C_DeriveKey");
}

bool Session::verifies(CK_OBJECT_HANDLE public_key, const Sign& operation, ByteView data,
                       ByteView signature) {
  MechanismParameters parameters(operation);
  check(ModuleCall(functions_)->C_VerifyInit(handle_, parameters.get(), public_key), "C_VerifyInit");
  // Cryptoki reads both; its prototype only lacks the const.
  const CK_RV rv = ModuleCall(functions_)
                       ->C_Verify(handle_, const_cast<CK_BYTE*>(data.data()), data.size(),
                                  const_cast<CK_BYTE*>(signature.data()), signature.size());
  if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE) return false;
  check(rv, "C_Verify");
  return true;
}

void Session::generate_random(std::span<std::uint8_t> random) {
  if (thread_) {
    const Bytes made = answer_of([size = random.size()](Session& own) {
      Bytes bytes(size);
      own.generate_random(bytes);
      return bytes;
    });
    std::ranges::copy(made, random.begin());
    return;
  }
  check(ModuleCall(functions_)->C_GenerateRandom(handle_, random.data(), random.size()), "C_GenerateRandom");
}

}  // namespace keystay::pkcs11
