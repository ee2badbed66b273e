#include "tests/bench/p11_kit_connection.h"

#include <cstdlib>
#include <stdexcept>

#include <dlfcn.h>

#include "native/pkcs11/error.h"

namespace keystay::bench {
namespace {

constexpr const char* kClient = KEYSTAY_P11_KIT_MODULES "/p11-kit-client.so";

// Of a new connection each time.
CK_FUNCTION_LIST* function_list(const std::string& socket) {
  setenv("P11_KIT_SERVER_ADDRESS", ("unix:path=" + socket).c_str(), 1);
  void* library = dlopen(kClient, RTLD_NOW);
  if (library == nullptr)
    throw std::runtime_error("p11-kit's client (package p11-kit-modules): " + std::string(dlerror()));
  const auto get_function_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  pkcs11::check(get_function_list(&functions), "C_GetFunctionList");
  return functions;
}

}  // namespace

P11KitConnection::P11KitConnection(const std::string& socket, const std::string& pin)
    : functions_(function_list(socket)) {
  pkcs11::check(functions_->C_Initialize(nullptr), "C_Initialize");
  try {
    log_in(pin);
  } catch (...) {
    functions_->C_Finalize(nullptr);
    throw;
  }
}

void P11KitConnection::log_in(const std::string& pin) {
  CK_ULONG count = 1;
  pkcs11::check(functions_->C_GetSlotList(CK_TRUE, &slot_, &count), "C_GetSlotList");
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;  // stays open, as the login ends with the last session
  pkcs11::check(functions_->C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
                "C_OpenSession");
  std::string text = pin;
  pkcs11::check(
      functions_->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(text.data()), text.size()),
      "C_Login");
}

P11KitConnection::~P11KitConnection() { functions_->C_Finalize(nullptr); }

}  // namespace keystay::bench
