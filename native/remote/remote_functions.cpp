#include "native/remote/remote_functions.h"

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::remote {
namespace {

constinit std::array<std::atomic<RemoteCryptoki*>, kMostConnections> places{};

template <std::size_t place, auto function>
struct At;

template <std::size_t place, typename... Arguments, CK_RV (RemoteCryptoki::*function)(Arguments...)>
struct At<place, function> {
  static CK_RV call(Arguments... arguments) {
    return (places[place].load(std::memory_order_acquire)->*function)(arguments...);
  }
};

template <std::size_t place>
CK_FUNCTION_LIST functions() {
  using Remote = RemoteCryptoki;
  CK_FUNCTION_LIST list{};
  list.version = {2, 40};
  list.C_Initialize = &At<place, &Remote::initialize>::call;
  list.C_Finalize = &At<place, &Remote::finalize>::call;
  list.C_GetSlotList = &At<place, &Remote::get_slot_list>::call;
  list.C_GetTokenInfo = &At<place, &Remote::get_token_info>::call;
  list.C_GetMechanismInfo = &At<place, &Remote::get_mechanism_info>::call;
  list.C_OpenSession = &At<place, &Remote::open_session>::call;
  list.C_CloseSession = &At<place, &Remote::close_session>::call;
  list.C_GetSessionInfo = &At<place, &Remote::get_session_info>::call;
  list.C_Login = &At<place, &Remote::login>::call;
  list.C_CreateObject = &At<place, &Remote::create_object>::call;
  list.C_CopyObject = &At<place, &Remote::copy_object>::call;
  list.C_DestroyObject = &At<place, &Remote::destroy_object>::call;
  list.C_GetAttributeValue = &At<place, &Remote::get_attribute_value>::call;
  list.C_SetAttributeValue = &At<place, &Remote::set_attribute_value>::call;
  list.C_FindObjectsInit = &At<place, &Remote::find_objects_init>::call;
  list.C_FindObjects = &At<place, &Remote::find_objects>::call;
  list.C_FindObjectsFinal = &At<place, &Remote::find_objects_final>::call;
  list.C_SignInit = &At<place, &Remote::sign_init>::call;
  list.C_Sign = &At<place, &Remote::sign>::call;
  list.C_SignUpdate = &At<place, &Remote::sign_update>::call;
  list.C_SignFinal = &At<place, &Remote::sign_final>::call;
  list.C_VerifyInit = &At<place, &Remote::verify_init>::call;
  list.C_Verify = &At<place, &Remote::verify>::call;
  list.C_EncryptInit = &At<place, &Remote::encrypt_init>::call;
  list.C_Encrypt = &At<place, &Remote::encrypt>::call;
  list.C_DecryptInit = &At<place, &Remote::decrypt_init>::call;
  list.C_Decrypt = &At<place, &Remote::decrypt>::call;
  list.C_GenerateKey = &At<place, &Remote::generate_key>::call;
  list.C_GenerateKeyPair = &At<place, &Remote::generate_key_pair>::call;
  list.C_WrapKey = &At<place, &Remote::wrap_key>::call;
  list.C_UnwrapKey = &At<place, &Remote::unwrap_key>::call;
  list.C_DeriveKey = &At<place, &Remote::derive_key>::call;
  list.C_GenerateRandom = &At<place, &Remote::generate_random>::call;
  return list;
}

template <std::size_t... place>
std::array<CK_FUNCTION_LIST, sizeof...(place)> all_functions(std::index_sequence<place...>) {
  return {functions<place>()...};
}

CK_FUNCTION_LIST& functions_at(std::size_t place) {
  static std::array<CK_FUNCTION_LIST, kMostConnections> lists =
      all_functions(std::make_index_sequence<kMostConnections>());
  return lists[place];
}

std::size_t take_place(RemoteCryptoki& cryptoki) {
  for (std::size_t place = 0; place < kMostConnections; ++place) {
    RemoteCryptoki* expected = nullptr;
    if (places[place].compare_exchange_strong(expected, &cryptoki, std::memory_order_acq_rel)) return place;
  }
  throw pkcs11::Error(pkcs11::ErrorClass::client,
                      "a process has at most " + std::to_string(kMostConnections) +
                          " connections to tokens on other machines; lower their `lanes`");
}

}  // namespace

RemoteFunctions::RemoteFunctions(std::shared_ptr<Connector> connector)
    : cryptoki_(std::move(connector)), place_(take_place(cryptoki_)) {}

RemoteFunctions::~RemoteFunctions() { places[place_].store(nullptr, std::memory_order_release); }

CK_FUNCTION_LIST& RemoteFunctions::list() const noexcept { return functions_at(place_); }

}  // namespace keystay::remote
