#include "native/pkcs11/token_administration.h"

#include <algorithm>
#include <array>
#include <utility>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/module_call.h"
#include "native/pkcs11/padded_field.h"
#include "native/pkcs11/slot.h"

namespace keystay::pkcs11 {
namespace {

// No HSM has more; and how often something may come between a count and the list.
constexpr CK_ULONG kMostListed = 1U << 16U;
constexpr int kMostQuestions = 100;

// The list that a function gives in two calls: its length first.
template <typename Element, typename Ask>
std::vector<Element> listed(const char* function, const Ask& ask) {
  std::vector<Element> list;
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  for (int questions = 0; rv == CKR_BUFFER_TOO_SMALL; ++questions) {
    CK_ULONG count = 0;
    check(ask(nullptr, &count), function);
    if (count > kMostListed || questions == kMostQuestions)
      throw Error(ErrorClass::server, std::string(function) + ": the module does not say how many there are");
    list.resize(count);
    rv = count > 0 ? ask(list.data(), &count) : CKR_OK;
    list.resize(std::min<std::size_t>(count, list.size()));
  }
  check(rv, function);
  return list;
}

std::string version_text(const CK_VERSION& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

TokenDetails details(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot) {
  CK_TOKEN_INFO info{};
  check(ModuleCall(functions)->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
  TokenDetails token;
  token.label = unpadded(info.label);
  token.manufacturer = unpadded(info.manufacturerID);
  token.model = unpadded(info.model);
  token.serial = unpadded(info.serialNumber);
  token.flags = info.flags;
  token.max_sessions = info.ulMaxSessionCount;
  token.shortest_pin = info.ulMinPinLen;
  token.longest_pin = info.ulMaxPinLen;
  if (info.ulSessionCount != CK_UNAVAILABLE_INFORMATION) token.sessions = info.ulSessionCount;
  token.hardware_version = version_text(info.hardwareVersion);
  token.firmware_version = version_text(info.firmwareVersion);
  return token;
}

SlotInfo slot_info(CK_FUNCTION_LIST& functions, CK_SLOT_ID number) {
  CK_SLOT_INFO info{};
  check(ModuleCall(functions)->C_GetSlotInfo(number, &info), "C_GetSlotInfo");
  SlotInfo slot{number, unpadded(info.slotDescription), unpadded(info.manufacturerID), info.flags};
  if (!(info.flags & CKF_TOKEN_PRESENT)) return slot;
  try {
    slot.token = details(functions, number);
  } catch (const Error& error) {  // one token that does not answer must not hide the others
    slot.fault = error.what();
  }
  return slot;
}

// Cryptoki reads the PIN; its prototypes only lack the const.
CK_UTF8CHAR* text_of(const Pin* pin) { return pin ? const_cast<CK_UTF8CHAR*>(pin->bytes().data()) : nullptr; }
CK_ULONG size_of(const Pin* pin) { return pin ? pin->size() : 0; }

// A session for one call, in which nobody is logged in. C_CloseSession, which ends the security officer's
// login too.
class PlainSession final {
 public:
  PlainSession(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot, CK_FLAGS kind) : functions_(functions) {
    check(ModuleCall(functions)->C_OpenSession(slot, CKF_SERIAL_SESSION | kind, nullptr, nullptr, &handle_),
          "C_OpenSession");
  }
  PlainSession(const PlainSession&) = delete;
  PlainSession& operator=(const PlainSession&) = delete;
  ~PlainSession() { static_cast<void>(ModuleCall(functions_)->C_CloseSession(handle_)); }

  [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }

 private:
  CK_FUNCTION_LIST& functions_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
};

}  // namespace

PinState pin_state(CK_FLAGS token_flags, Role role) noexcept {
  struct Flags {
    CK_FLAGS low, final_try, locked, to_be_changed;
  };
  constexpr Flags kUser{CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED,
                        CKF_USER_PIN_TO_BE_CHANGED};
  constexpr Flags kOfficer{CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED,
                           CKF_SO_PIN_TO_BE_CHANGED};
  const Flags& flags = role == Role::user ? kUser : kOfficer;
  // SoftHSM says of a token that was never initialised that the security officer's PIN is locked.
  if (!(token_flags & CKF_TOKEN_INITIALIZED)) return PinState::not_set;
  if (token_flags & flags.locked) return PinState::locked;
  if (role == Role::user && !(token_flags & CKF_USER_PIN_INITIALIZED)) return PinState::not_set;
  if (token_flags & flags.final_try) return PinState::final_try;
  if (token_flags & flags.low) return PinState::count_low;
  return token_flags & flags.to_be_changed ? PinState::to_be_changed : PinState::good;
}

TokenAdministration::TokenAdministration(const std::filesystem::path& module,
                                         const std::string& module_arguments,
                                         std::chrono::milliseconds timeout)
    : module_(Module::at(module, module_arguments)), timeout_(timeout) {}

TokenAdministration::~TokenAdministration() = default;

std::vector<SlotInfo> TokenAdministration::slots() {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  const auto numbers = listed<CK_SLOT_ID>("C_GetSlotList", [&](CK_SLOT_ID* list, CK_ULONG* count) {
    return ModuleCall(functions)->C_GetSlotList(CK_FALSE, list, count);
  });
  std::vector<SlotInfo> slots;
  for (const CK_SLOT_ID number : numbers) slots.push_back(slot_info(functions, number));
  return slots;
}

SlotInfo TokenAdministration::slot(unsigned long number) {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  return slot_info(functions, number);
}

std::vector<MechanismInfo> TokenAdministration::mechanisms(unsigned long slot) {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  const auto types =
      listed<CK_MECHANISM_TYPE>("C_GetMechanismList", [&](CK_MECHANISM_TYPE* list, CK_ULONG* count) {
        return ModuleCall(functions)->C_GetMechanismList(slot, list, count);
      });
  std::vector<MechanismInfo> mechanisms;
  for (const CK_MECHANISM_TYPE type : types) {
    CK_MECHANISM_INFO info{};
    const CK_RV rv = ModuleCall(functions)->C_GetMechanismInfo(slot, type, &info);
    if (rv == CKR_MECHANISM_INVALID) continue;  // a module may list what this token lacks
    check(rv, "C_GetMechanismInfo");
    mechanisms.push_back({type, info.ulMinKeySize, info.ulMaxKeySize, info.flags});
  }
  return mechanisms;
}

std::size_t TokenAdministration::public_objects(unsigned long slot) {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  const PlainSession session(functions, slot, 0);
  check(ModuleCall(functions)->C_FindObjectsInit(session.handle(), nullptr, 0), "C_FindObjectsInit");
  std::size_t found = 0;
  std::array<CK_OBJECT_HANDLE, 256> batch;
  for (CK_ULONG count = batch.size(); count > 0 && found < kMostListed; found += count)
    check(ModuleCall(functions)->C_FindObjects(session.handle(), batch.data(), batch.size(), &count),
          "C_FindObjects");
  check(ModuleCall(functions)->C_FindObjectsFinal(session.handle()), "C_FindObjectsFinal");
  return found;
}

SlotInfo TokenAdministration::initialize(unsigned long slot, const Pin* so_pin, std::string_view label) {
  if (label.size() > kLongestTokenLabel)
    throw Error(ErrorClass::client, "the label is longer than the 32 bytes that a token has for it");
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  std::array<CK_UTF8CHAR, kLongestTokenLabel> padded;
  padded.fill(' ');
  std::ranges::copy(label, padded.begin());
  check(ModuleCall(functions)->C_InitToken(slot, text_of(so_pin), size_of(so_pin), padded.data()),
        "C_InitToken");
  return slot_info(functions, slot);
}

void TokenAdministration::initialize_user_pin(unsigned long slot, const Pin* so_pin, const Pin* user_pin) {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  const PlainSession session(functions, slot, CKF_RW_SESSION);
  check(ModuleCall(functions)->C_Login(session.handle(), CKU_SO, text_of(so_pin), size_of(so_pin)),
        "C_Login");
  check(ModuleCall(functions)->C_InitPIN(session.handle(), text_of(user_pin), size_of(user_pin)),
        "C_InitPIN");
}

void TokenAdministration::change_user_pin(unsigned long slot, const Pin* before, const Pin* after) {
  CK_FUNCTION_LIST& functions = module_->functions(std::chrono::steady_clock::now() + timeout_);
  const Module::Use use = module_->use();
  const PlainSession session(functions, slot, CKF_RW_SESSION);
  check(ModuleCall(functions)->C_SetPIN(session.handle(), text_of(before), size_of(before), text_of(after),
                                        size_of(after)),
        "C_SetPIN");
}

}  // namespace keystay::pkcs11
