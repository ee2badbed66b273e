#include "tests/bench/key_loading.h"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "native/pkcs11/error.h"
#include "tests/bench/many_aliases.h"
#include "tests/bench/provider_keys.h"
#include "tests/bench/statistics.h"

namespace keystay::bench {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int kRounds = 101;

// A session of its own, around Keystay.
class RawSearch final {
 public:
  explicit RawSearch(const BenchToken& token) : functions_(token.raw().functions) {
    pkcs11::check(functions_.C_OpenSession(token.raw().slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_),
                  "C_OpenSession");
  }
  RawSearch(const RawSearch&) = delete;
  RawSearch& operator=(const RawSearch&) = delete;
  ~RawSearch() { static_cast<void>(functions_.C_CloseSession(session_)); }

  void find(std::string label) const {
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    std::array search{CK_ATTRIBUTE{CKA_CLASS, &object_class, sizeof object_class},
                      CK_ATTRIBUTE{CKA_LABEL, label.data(), label.size()}};
    std::array<CK_OBJECT_HANDLE, 2> objects{};
    CK_ULONG found = 0;
    pkcs11::check(functions_.C_FindObjectsInit(session_, search.data(), search.size()), "C_FindObjectsInit");
    const CK_RV rv = functions_.C_FindObjects(session_, objects.data(), objects.size(), &found);
    pkcs11::check(functions_.C_FindObjectsFinal(session_), "C_FindObjectsFinal");
    pkcs11::check(rv, "C_FindObjects");
    if (found != 1) throw std::runtime_error(fmt::format("{} objects with the label {}", found, label));
  }

 private:
  CK_FUNCTION_LIST& functions_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

struct Loader {
  std::string name;
  std::function<void(const std::string& alias)> load;
  std::vector<double> microseconds{};
};

Loader provider(std::string name, ProviderModule module) {
  const auto keys = std::make_shared<const ProviderKeys>(std::move(module));
  return {std::move(name), [keys](const std::string& alias) { static_cast<void>(keys->load(alias)); }};
}

std::vector<Loader> loaders(const BenchToken& token) {
  std::vector<Loader> all;
  const auto raw = std::make_shared<const RawSearch>(token);
  all.push_back({"two raw searches", [raw](const std::string& alias) {
                   raw->find(alias);
                   raw->find(alias);
                 }});
  all.push_back(provider("keystay", keystay_module()));
  try {
    all.push_back(provider("pkcs11-provider", pkcs11_provider_module(token.softhsm())));
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "pkcs11-provider is left out: {}\n", error.what());
  }
  return all;
}

double time_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return Microseconds(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

void measure_key_loading(const BenchToken& token, std::size_t aliases) {
  const std::vector<std::string> names = add_aliases(token.source(), aliases);
  std::vector<Loader> all = loaders(token);
  std::minstd_rand random;
  std::uniform_int_distribution<std::size_t> any(0, names.size() - 1);
  for (int round = 0; round < kRounds; ++round) {
    const std::string& alias = names[any(random)];
    for (Loader& loader : all) loader.microseconds.push_back(time_of([&] { loader.load(alias); }));
  }

  fmt::print("\nLoading one alias of {} on the token, medians of {} rounds.\n\n", aliases, kRounds);
  const double yardstick = median(all.front().microseconds);
  for (const Loader& loader : all) {
    const double took = median(loader.microseconds);
    fmt::print("{:18} {:>10.0f} us {:>6.2f} of the raw searches\n", loader.name, took, took / yardstick);
  }
}

}  // namespace keystay::bench
