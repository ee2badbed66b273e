#include "tests/support/nss_token.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

namespace keystay::test {

namespace fs = std::filesystem;

namespace {

constexpr std::array kCandidates{
    "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
    "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
    "/usr/lib64/libsoftokn3.so",
};

const char* const* find_module() {
  return std::find_if(kCandidates.begin(), kCandidates.end(),
                      [](const char* path) { return fs::exists(path); });
}

}  // namespace

std::string NssToken::missing() {
  if (find_module() == kCandidates.end()) return "libsoftokn3.so is not here; install libnss3";
  return run({"sh", "-c", "command -v certutil"}).ok() ? "" : "certutil is not here; install libnss3-tools";
}

fs::path NssToken::module() {
  const auto* found = find_module();
  if (found == kCandidates.end()) throw std::runtime_error(missing());
  return *found;
}

NssToken::NssToken() {
  // Each object of its database has a key of its own that is derived from the PIN: by few iterations, in
  // tests.
  ::setenv("NSS_MAX_MP_PBE_ITERATION_COUNT", "10", 0);
  pin_file_ = directory_.write("pin", pin_ + "\n");
  fs::create_directory(directory_.path() / "db");
  certutil({"-N"});
}

NssToken::~NssToken() { finalize(); }

std::string NssToken::arguments() const {
  return "configDir='sql:" + (directory_.path() / "db").string() + "'";
}

fs::path NssToken::write_configuration(std::string_view more) const {
  return directory_.write("keystay.toml", "default = \"nss\"\n\n[token.nss]\nmodule = \"" +
                                              module().string() + "\"\nmodule-arguments = \"" + arguments() +
                                              "\"\nlabel = \"NSS Certificate DB\"\npin = \"file:" +
                                              pin_file_.string() + "\"\n" + std::string(more));
}

void NssToken::finalize() {
  void* library = dlopen(module().c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return;
  auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get != nullptr && get(&functions) == CKR_OK) functions->C_Finalize(nullptr);
  dlclose(library);  // the reference that RTLD_NOLOAD took; whoever loaded it holds another
}

void NssToken::make_native_key(const std::string& nickname) const {
  const auto noise = directory_.write("noise", "not secret, and not the only source");
  certutil({"-S", "-n", nickname, "-s", "CN=" + nickname, "-x", "-t", ",,", "-k", "ec", "-q", "nistp256",
            "-z", noise});
}

std::string NssToken::certutil(const Arguments& arguments) const {
  Arguments all{"certutil", "-d", "sql:" + (directory_.path() / "db").string(), "-f", pin_file_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_or_throw(all);
}

}  // namespace keystay::test
