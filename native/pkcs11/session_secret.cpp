// What of Session secret keys are used for, and what is a secret only meanwhile.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module_call.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {
namespace {

// A secret on its way through the token: readable, and gone with the session at the latest.
Template passing_secret() {
  Template secret;
  secret.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_AES)
      .flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, false)
      .flag(CKA_EXTRACTABLE, true);
  return secret;
}

}  // namespace

void Session::take_secret(CK_OBJECT_HANDLE object, std::span<std::uint8_t> secret, const char* function) {
  CK_ATTRIBUTE value{CKA_VALUE, secret.data(), secret.size()};
  const CK_RV read = ModuleCall(functions_)->C_GetAttributeValue(handle_, object, &value, 1);
  const CK_RV destroyed = ModuleCall(functions_)->C_DestroyObject(handle_, object);
  check(read, "C_GetAttributeValue");
  check(destroyed, "C_DestroyObject");
  if (value.ulValueLen != secret.size()) {
    throw Error(ErrorClass::server, std::string(function) + ": the secret has " +
                                        std::to_string(value.ulValueLen) + " bytes, expected " +
                                        std::to_string(secret.size()));
  }
}

std::size_t Session::wrap_secret(CK_OBJECT_HANDLE key, ByteView secret, std::span<std::uint8_t> wrapped) {
  Template passing = passing_secret();
  passing.bytes(CKA_VALUE, secret);
  const CK_OBJECT_HANDLE object = create_object(std::move(passing));
  CK_MECHANISM mechanism{CKM_AES_KEY_WRAP, nullptr, 0};
  CK_ULONG size = wrapped.size();
  const CK_RV rv = ModuleCall(functions_)->C_WrapKey(handle_, &mechanism, key, object, wrapped.data(), &size);
  const CK_RV destroyed = ModuleCall(functions_)->C_DestroyObject(handle_, object);
  check(rv, "C_WrapKey");
  check(destroyed, "C_DestroyObject");
  return size;
}

std::size_t Session::unwrap_secret(CK_OBJECT_HANDLE key, ByteView wrapped, std::span<std::uint8_t> secret) {
  Template passing = passing_secret();
  CK_MECHANISM mechanism{CKM_AES_KEY_WRAP, nullptr, 0};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  // Cryptoki reads the wrapped secret; its prototype only lacks the const.
  const CK_RV rv = ModuleCall(functions_)
                       ->C_UnwrapKey(handle_, &mechanism, key, const_cast<CK_BYTE*>(wrapped.data()),
                                     wrapped.size(), passing.data(), passing.size(), &object);
  // SoftHSM answers this for a secret that another key has wrapped: it must not lead to a repair of the
  // token.
  if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED) {
    throw Error(CKR_WRAPPED_KEY_INVALID,
                "C_UnwrapKey: " + describe(rv) + "; another key has wrapped this, or it was changed");
  }
  check(rv, "C_UnwrapKey");
  take_secret(object, secret, "C_UnwrapKey");
  return secret.size();
}

void Session::begin_mac(CK_OBJECT_HANDLE key, const Mac& operation) {
  if (thread_) return on_its_thread([key, operation](Session& own) { own.begin_mac(key, operation); });
  MechanismParameters parameters(operation);
  check(ModuleCall(functions_)->C_SignInit(handle_, parameters.get(), key), "C_SignInit");
}

void Session::continue_mac(ByteView part) {
  if (thread_) {
    return on_its_thread([kept = Bytes(part.begin(), part.end())](Session& own) { own.continue_mac(kept); });
  }
  // Cryptoki reads the part; its prototype only lacks the const.
  check(ModuleCall(functions_)->C_SignUpdate(handle_, const_cast<CK_BYTE*>(part.data()), part.size()),
        "C_SignUpdate");
}

std::size_t Session::end_mac(std::span<std::uint8_t> result) {
  if (thread_) {
    const auto made = std::make_shared<Bytes>(result.size());
    on_its_thread([made](Session& own) { made->resize(own.end_mac(*made)); });
    std::copy(made->begin(), made->end(), result.begin());
    return made->size();
  }
  CK_ULONG size = result.size();
  check(ModuleCall(functions_)->C_SignFinal(handle_, result.data(), &size), "C_SignFinal");
  return size;
}

}  // namespace keystay::pkcs11
