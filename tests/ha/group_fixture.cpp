#include "tests/ha/group_fixture.h"

#include <atomic>
#include <cstdio>
#include <thread>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "native/config/file.h"
#include "native/x509/public_key.h"
#include "native/x509/raw_signature.h"
#include "tests/support/signature_check.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

// Any 32 bytes will do as a SHA-256 digest.
constexpr std::array<std::uint8_t, 32> kDigest{0x4b, 0x65, 0x79, 0x73, 0x74, 0x61, 0x79};

}  // namespace

Bytes private_number(const EVP_PKEY* key) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &value), 1);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, bytes.data());
  BN_clear_free(value);
  return bytes;
}

std::optional<Error> error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

GroupTest::GroupTest() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")) {
  const std::array serials{hsm_.serial(), hsm_.add_token("hsm-b"), hsm_.add_token("hsm-c")};
  for (std::size_t i = 0; i < kMembers; ++i) {
    faults_.at(i) =
        FaultControl::of_copy(hsm_.directory().path() / (name(i) + ".so"), hsm_.take_apart(serials.at(i)));
  }
  use_group();
  for (std::size_t i = 0; i < kMembers; ++i) import_key_into(i);
  reset_counts();
}

std::string GroupTest::name(std::size_t member) {
  return std::string("hsm-") + static_cast<char>('a' + member);
}

std::string GroupTest::token_sections() const {
  std::string text;
  for (std::size_t i = 0; i < kMembers; ++i) {
    text +=
        "[token." + name(i) + "]\nmodule = \"" + faults_.at(i)->loaded_as().string() + "\"\nlabel = \"" +
        name(i) + "\"\nsessions = 8\n" +
        (lines_.at(i).find("pin =") == std::string::npos ? "pin = \"file:" + hsm_.pin_file().string() + "\"\n"
                                                         : "") +
        lines_.at(i);
  }
  return text + more_sections_;
}

void GroupTest::use_group(const std::string& lines) {
  use_members("[\"hsm-a\", \"hsm-b\", \"hsm-c\"]\n" + lines);
}

std::string GroupTest::text_of(const std::string& members) const {
  const std::string zone = members.find("same-zone") == std::string::npos ? "" : "zone = \"here\"\n";
  return zone + token_sections() + "[group.front]\nmembers = " + members;
}

GroupServices GroupTest::services() const {
  return {
      [notices = notices_](const std::string& sentence) {
        const std::lock_guard lock(notices->mutex);
        notices->sentences.push_back(sentence);
      },
      [](const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism, pkcs11::ByteView data,
         pkcs11::ByteView signature) { return x509::verifies(key, mechanism, data, signature, nullptr); }};
}

void GroupTest::use_members(const std::string& members) {
  succeeded_before_ = {};
  tokens_ =
      key_sources(config::parse_configuration(text_of(members), "keystay.toml"), {}, {}, nullptr, services());
}

void GroupTest::use_file(const std::string& members) {
  succeeded_before_ = {};
  change_file(members);
  GroupServices followed = services();
  followed.reader = config::read_configuration;
  tokens_ = key_sources(config::read_configuration(file()), {}, {}, nullptr, followed);
}

void GroupTest::change_file(const std::string& members) {
  config::replace_file(file(), text_of(members), 0600);
}

keys::KeyStore GroupTest::store_of(const std::string& token) { return {tokens_->source(token), pkix_}; }

void GroupTest::import_key_into(const std::string& token) {
  const Bytes number = private_number(key_.get());
  store_of(token).import_key("httpd", {x509::from_evp_pkey(key_.get()), {number}});
}

keys::PrivateKey GroupTest::key() {
  const auto entry = keys::KeyStore(group(), pkix_).find("httpd");
  if (!entry) throw std::runtime_error("no key");
  return entry->key;
}

bool GroupTest::signs(const keys::PrivateKey& key) const {
  Bytes signature(64);
  signature.resize(key.sign(pkcs11::Ecdsa{}, kDigest, signature));
  return test::verifies_ecdsa(key_.get(), kDigest, signature);
}

std::size_t GroupTest::failures_while(const keys::PrivateKey& key, const std::function<void()>& body) {
  std::atomic<bool> stopping = false;
  std::atomic<std::size_t> made = 0;
  std::atomic<std::size_t> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stopping) {
        const auto error = error_of([&] { failed += signs(key) ? 0 : 1; });
        if (error) std::fprintf(stderr, "%s\n", error->what());
        failed += error ? 1 : 0;
        ++made;
        std::this_thread::sleep_for(1ms);
      }
    });
  }
  body();
  stopping = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu signatures, %zu failed\n", made.load(), failed.load());
  EXPECT_GT(made, 0U);
  return failed;
}

MemberStatus GroupTest::status(std::size_t member) {
  return group_states(*tokens_).front().members.at(member);
}

void GroupTest::reset_counts() {
  for (const auto& faults : faults_) faults->reset_calls();
  const std::vector<MemberStatus> members = group_states(*tokens_).front().members;
  for (std::size_t i = 0; i < members.size(); ++i) succeeded_before_.at(i) = members[i].succeeded;
}

std::vector<std::string> GroupTest::notices() {
  const std::lock_guard lock(notices_->mutex);
  return notices_->sentences;
}

bool GroupTest::wait_for(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool GroupTest::wait_for_service(std::size_t member, Service service) {
  return wait_for([&] { return status(member).service == service; });
}

}  // namespace keystay::ha
