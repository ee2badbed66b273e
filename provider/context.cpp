// RAND_get_rand_method is deprecated, and there is no other way to decide what RAND_bytes is.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "provider/context.h"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/rand.h>

#include "native/config/optional_configuration.h"
#include "native/ha/key_sources.h"
#include "native/pkcs11/fork_lock.h"
#include "native/x509/error.h"
#include "native/x509/raw_signature.h"
#include "provider/configuration/cnf_section.h"
#include "provider/process_exit.h"

namespace keystay::provider {

namespace {

// That RAND_bytes uses libcrypto's own generators. As long as nobody has asked for random numbers, a module
// may make an engine their source for the whole process: SoftHSM does so with `rdrand` where libcrypto has
// that.
void decide_generators_before_modules() noexcept {
  static std::atomic<bool> decided{false};
  // Once: libcrypto locks the whole process for its answer, and a fork in that moment leaves it locked.
  if (decided.load(std::memory_order_acquire)) return;
  static_cast<void>(RAND_get_rand_method());
  decided.store(true, std::memory_order_release);
}

}  // namespace

Context::Context(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* functions)
    : core_(handle, functions), software_(core_) {}

Context::~Context() {
  bool all_ended = true;
  for (auto& [token, signers] : signers_) all_ended = signers.stop() && all_ended;
  if (!all_ended) software_.keep();
  replaced_.push_back(tokens_.load(std::memory_order_acquire));
  for (const keys::Tokens* tokens : replaced_) {
    // Closing the sessions calls the modules.
    if (process_is_exiting()) {
      leave_to_process(tokens);
    } else {
      delete tokens;
    }
  }
}

// No lock, for the sake of a fork while another thread is in here: see Software::libctx.
keys::Tokens& Context::tokens() {
  keys::Tokens* known = tokens_.load(std::memory_order_acquire);
  if (known) [[likely]]
    return *known;
  decide_generators_before_modules();
  std::unique_ptr<keys::Tokens> fresh = read_tokens(nullptr);
  if (tokens_.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *known;
}

std::unique_ptr<keys::Tokens> Context::read_tokens(const keys::Tokens* before) {
  CnfSection section = read_cnf_section(core_);
  const ha::GroupServices services{
      [listener = listener_](const std::string& sentence) {
        if (listener->notice) {
          listener->notice(sentence.c_str(), listener->argument);
        } else {
          ha::write_to_system_log(sentence);
        }
      },
      [this](const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism, pkcs11::ByteView data,
             pkcs11::ByteView signature) {
        try {
          return x509::verifies(key, mechanism, data, signature, software_.libctx());
        } catch (const x509::Error& error) {
          throw pkcs11::Error(pkcs11::ErrorClass::host, error.what());
        }
      },
      section.follows_configuration ? ha::FollowedFile::Reader(config::read_configuration) : nullptr};
  return ha::key_sources(
      config::read_optional_configuration(section.configuration),
      [this](std::string_view token_label) { return pin_dialogue_.ask(token_label); },
      std::move(section.whole_module), before, services);
}

std::vector<ha::GroupStatus> Context::group_states() { return ha::group_states(tokens()); }

void Context::listen(config::GroupNoticeFunction notice, void* argument) noexcept {
  *listener_ = {notice, argument};
}

void Context::reload() {
  keys::Tokens* before = tokens_.load(std::memory_order_acquire);
  while (before) {  // else the first key reads the file as it is then
    std::unique_ptr<keys::Tokens> fresh = read_tokens(before);
    const pkcs11::ForkLock lock;
    replaced_.reserve(replaced_.size() + 2);
    if (!tokens_.compare_exchange_strong(before, fresh.get(), std::memory_order_acq_rel)) continue;
    static_cast<void>(fresh.release());
    replaced_.push_back(before);
    before_reload_ = before;
    return;
  }
}

void Context::restore() {
  const pkcs11::ForkLock lock;
  if (!before_reload_) return;
  std::erase(replaced_, before_reload_);
  replaced_.push_back(tokens_.exchange(std::exchange(before_reload_, nullptr), std::memory_order_acq_rel));
}

SignerThreads& Context::signers(const keys::KeySource& source) {
  const pkcs11::ForkLock lock;
  return signers_.try_emplace(&source, [&source] { return source.capacity(); }).first->second;
}

// The lock of the threads is taken outside of ours. Sources and threads live as long as this object.
std::vector<Context::SourceLoad> Context::loads() {
  std::vector<std::pair<const keys::KeySource*, SignerThreads*>> all;
  {
    const pkcs11::ForkLock lock;
    for (auto& [source, threads] : signers_) all.emplace_back(source, &threads);
  }
  std::vector<SourceLoad> loads;
  for (const auto& [source, threads] : all) {
    std::string name = source->name();
    std::erase(name, '"');
    loads.push_back({std::move(name), threads->load(), source->capacity()});
  }
  return loads;
}

}  // namespace keystay::provider
