#include "tests/support/softhsm_token.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

namespace keystay::test {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kConfigurationVariable = "SOFTHSM2_CONF";  // with a NUL behind it

std::atomic<bool> token_exists = false;

std::string contents_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// SoftHSM's function list if this process has loaded it; null otherwise.
CK_FUNCTION_LIST* loaded_softhsm() {
  void* library = dlopen(SoftHsmToken::softhsm().c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  auto get_function_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  const bool found = get_function_list != nullptr && get_function_list(&functions) == CKR_OK;
  dlclose(library);  // the reference that RTLD_NOLOAD took; whoever loaded it holds another
  return found ? functions : nullptr;
}

bool softhsm_is_initialized() {
  CK_INFO info;
  CK_FUNCTION_LIST* functions = loaded_softhsm();
  return functions != nullptr && functions->C_GetInfo(&info) == CKR_OK;
}

std::string softhsm_configuration(const fs::path& tokens, const SoftHsmOptions& options) {
  return "directories.tokendir = " + tokens.string() +
         "\n"
         "objectstore.backend = file\n"
         "log.level = ERROR\n"
         "slots.removable = false\n"
         "library.reset_on_fork = " +
         (options.reset_on_fork ? "true" : "false") + "\n";
}

// The values of a field of `softhsm2-util --show-slots`, in the order of the slots.
std::vector<std::string> fields(std::string_view slots, std::string_view name) {
  std::vector<std::string> values;
  for (std::size_t at = slots.find(name); at != std::string_view::npos; at = slots.find(name, at + 1)) {
    const std::size_t begin = at + name.size();
    std::string_view value = slots.substr(begin, slots.find('\n', begin) - begin);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    value = value.substr(0, value.find_last_not_of(' ') + 1);
    values.emplace_back(value);
  }
  return values;
}

}  // namespace

fs::path SoftHsmToken::softhsm() {
  static constexpr std::array candidates{
      "/usr/lib/softhsm/libsofthsm2.so",
      "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
      "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
      "/usr/lib64/pkcs11/libsofthsm2.so",
  };
  const auto found =
      std::find_if(candidates.begin(), candidates.end(), [](const char* path) { return fs::exists(path); });
  if (found == candidates.end()) throw std::runtime_error("libsofthsm2.so not found; install softhsm2");
  return *found;
}

SoftHsmToken::SoftHsmToken(std::string label, SoftHsmOptions options) : label_(std::move(label)) {
  if (softhsm_is_initialized()) {
    throw std::logic_error("SoftHSM is initialized already: make the SoftHsmToken before its module is used");
  }
  if (token_exists.exchange(true)) throw std::logic_error("another SoftHsmToken lives in this process");

  const fs::path tokens = directory_.path() / "tokens";
  fs::create_directory(tokens);
  const fs::path configuration = directory_.write("softhsm2.conf", softhsm_configuration(tokens, options));
  setenv(kConfigurationVariable.data(), configuration.c_str(), 1);
  pin_file_ = directory_.write("pin", pin_ + "\n");

  module_ = softhsm();
  if (options.front == Front::fault_module) {
    faults_ = std::make_unique<FaultControl>(softhsm());
    module_ = FaultControl::module();
  }
  serial_ = add_token(label_);
}

fs::path SoftHsmToken::token_directory(const std::string& serial) const {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_.path() / "tokens")) {
    if (contents_of(entry.path() / "token.object").find(serial) != std::string::npos) return entry.path();
  }
  throw std::logic_error("no token with the serial number " + serial);
}

fs::path SoftHsmToken::take_apart(const std::string& serial) {
  // As long as the name that it takes the place of in the library.
  const std::string variable = "SOFTHSM2_" + std::to_string(1000 + taken_apart_++);
  const fs::path home = directory_.path() / variable;
  fs::create_directories(home / "tokens");
  fs::rename(token_directory(serial), home / "tokens" / "token");
  const fs::path configuration =
      directory_.write(variable + ".conf", softhsm_configuration(home / "tokens", {}));
  setenv(variable.c_str(), configuration.c_str(), 1);

  std::string library = contents_of(softhsm());
  const std::size_t name = library.find(kConfigurationVariable);
  if (name == std::string::npos || library.find(kConfigurationVariable, name + 1) != std::string::npos)
    throw std::logic_error("SoftHSM does not name SOFTHSM2_CONF once");
  library.replace(name, variable.size(), variable);
  const fs::path copy = home / "libsofthsm2.so";
  std::ofstream(copy, std::ios::binary) << library;
  return copy;
}

SoftHsmToken::~SoftHsmToken() {
  if (softhsm_is_initialized()) loaded_softhsm()->C_Finalize(nullptr);
  faults_.reset();
  unsetenv(kConfigurationVariable.data());
  token_exists = false;
}

std::string SoftHsmToken::configuration() const {
  return "default = \"web\"\n\n[token.web]\nmodule = \"" + module_.string() + "\"\nlabel = \"" + label_ +
         "\"\npin = \"file:" + pin_file_.string() + "\"\n";
}

fs::path SoftHsmToken::write_configuration(std::string_view more) const {
  return directory_.write("keystay.toml", configuration() + std::string(more));
}

Environment SoftHsmToken::environment() const {
  Environment environment{{"SOFTHSM2_CONF", directory_.path() / "softhsm2.conf"}};
  if (faults_) environment.merge(faults_->environment());
  return environment;
}

std::vector<std::string> SoftHsmToken::serials() const {
  std::vector<std::string> all = fields(run_or_throw({"softhsm2-util", "--show-slots"}), "Serial number:");
  std::erase(all, "");  // the free slot at the end
  std::sort(all.begin(), all.end());
  return all;
}

std::string SoftHsmToken::add_token(const std::string& label) {
  if (softhsm_is_initialized()) {
    throw std::logic_error("SoftHSM is initialized already and would not see another token");
  }
  run_or_throw(
      {"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin_, "--so-pin", so_pin_});
  std::vector<std::string> after = serials();
  std::vector<std::string> added;
  std::set_difference(after.begin(), after.end(), serials_.begin(), serials_.end(),
                      std::back_inserter(added));
  if (added.size() != 1)
    throw std::runtime_error("softhsm2-util made " + std::to_string(added.size()) + " tokens");
  serials_ = std::move(after);
  return added.front();
}

FaultControl& SoftHsmToken::faults() {
  if (!faults_) throw std::logic_error("this token has no fault module in front");
  return *faults_;
}

std::string SoftHsmToken::pkcs11_tool(const Arguments& arguments) const {
  Arguments all{"pkcs11-tool", "--module", softhsm(), "--token-label",
                label_,        "--login",  "--pin",   "env:TOKEN_PIN"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_or_throw(all, {.environment = {{"TOKEN_PIN", pin_}}});
}

}  // namespace keystay::test
