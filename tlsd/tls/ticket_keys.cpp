#include "tlsd/tls/ticket_keys.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <system_error>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using Source = config::TicketSettings::Source;
using std::chrono::milliseconds;

constexpr int kIvSize = 16;
constexpr std::size_t kMostKeysOfFile = 64;

// What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) says of the results.
enum Result : int { kFailed = -1, kNoKey = 0, kDone = 1, kRenew = 2 };

int index_of_keys() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool set_mac_key(EVP_MAC_CTX* mac, const TicketKey& key) {
  char digest[] = "SHA256";
  const auto bytes = key.hmac();
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(bytes.data()),
                                        bytes.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// Nobody but the owner and a group may read keys of tickets: they open what was recorded.
void require_private(const config::TicketSettings& settings) {
  struct stat state {};
  if (::stat(settings.name.c_str(), &state) != 0) {
    throw CryptoError(settings.place + ": cannot read " + settings.name + ": " +
                      std::generic_category().message(errno));
  }
  if ((state.st_mode & (S_IROTH | S_IWOTH)) != 0)
    throw CryptoError(settings.place + ": everybody may read or write " + settings.name + "; chmod o= it");
}

}  // namespace

TicketKeys::TicketKeys(OSSL_LIB_CTX* library, config::TicketSettings settings)
    : library_(library),
      settings_(std::move(settings)),
      cipher_(EVP_CIPHER_fetch(library, "AES-256-CBC", nullptr)) {
  if (!cipher_) throw openssl_error("AES-256-CBC");
}

std::int64_t TicketKeys::period_at(Time time) const noexcept {
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  return since_epoch / settings_.rotation - (since_epoch % settings_.rotation < milliseconds(0) ? 1 : 0);
}

TicketKeys::Time TicketKeys::begin_of(std::int64_t period) const noexcept {
  return Time(settings_.rotation * period);
}

bool TicketKeys::has(std::int64_t period) const {
  const std::shared_lock lock(mutex_);
  return std::ranges::find(keys_, period, &Entry::period) != keys_.end();
}

// Those whose tickets may still live, that of now, and the next one.
bool TicketKeys::needs_refresh(Time now) const {
  if (settings_.source == Source::file) return empty();
  for (auto period = period_at(now - settings_.lifetime); period <= period_at(now) + 1; ++period)
    if (!has(period)) return true;
  return false;
}

// The key that is needed first comes first: of a token that fails in the middle, something stays.
std::size_t TicketKeys::refresh(Time now) {
  if (settings_.source == Source::file) return empty() ? read_file() : 0;
  std::size_t made = 0;
  const std::int64_t current = period_at(now);
  std::vector<std::int64_t> wanted{current, current + 1};
  for (auto period = current - 1; period >= period_at(now - settings_.lifetime); --period)
    wanted.push_back(period);
  for (const std::int64_t period : wanted) {
    if (has(period)) continue;
    std::list<Entry> fresh;
    const Time end = begin_of(period + 1);
    fresh.push_back({period, {}, begin_of(period), end + settings_.lifetime});
    make(period, fresh.front().key);
    const std::scoped_lock lock(mutex_);
    const auto behind =
        std::ranges::find_if(keys_, [&](const Entry& entry) { return entry.period > period; });
    keys_.splice(behind, fresh);
    ++made;
  }
  return made;
}

void TicketKeys::make(std::int64_t period, TicketKey& key) const {
  if (settings_.source == Source::random) {
    if (RAND_bytes_ex(library_, key.bytes().data(), key.bytes().size(), 0) != 1)
      throw openssl_error("RAND_bytes_ex");
    return;
  }
  try {
    derive_ticket_key(library_, settings_.name, {period, settings_.rotation}, key);
  } catch (const std::exception& error) {
    throw CryptoError(settings_.place + ": \"" + settings_.name +
                      "\" gives no keys for session tickets: " + error.what());
  }
}

// The first one seals, all of them open.
std::size_t TicketKeys::read_file() {
  require_private(settings_);
  std::ifstream file(settings_.name, std::ios::binary);
  std::list<Entry> fresh;
  for (std::int64_t period = 0; file.peek() != std::ifstream::traits_type::eof(); --period) {
    fresh.push_front({period, {}, period == 0 ? Time::min() : Time::max(), Time::max()});
    const auto bytes = fresh.front().key.bytes();
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file || fresh.size() > kMostKeysOfFile) {
      throw CryptoError(settings_.place + ": " + settings_.name +
                        " holds no ticket keys: expected 1 to 64 of them, 80 bytes each, the first of which "
                        "seals (openssl rand 80)");
    }
  }
  if (fresh.empty())
    throw CryptoError(settings_.place + ": " + settings_.name + " is empty; openssl rand 80 makes a key");
  const std::scoped_lock lock(mutex_);
  keys_.swap(fresh);
  return keys_.size();
}

void TicketKeys::expire(Time now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(keys_, [&](const Entry& entry) { return entry.opens_until <= now; });
}

bool TicketKeys::empty() const { return size() == 0; }

std::size_t TicketKeys::size() const {
  const std::shared_lock lock(mutex_);
  return keys_.size();
}

void TicketKeys::apply(SSL_CTX* context) const {
  if (SSL_CTX_set_ex_data(context, index_of_keys(), const_cast<TicketKeys*>(this)) != 1 ||
      SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketKeys::callback) != 1) {
    throw openssl_error("SSL_CTX_set_tlsext_ticket_key_evp_cb");
  }
  SSL_CTX_set_timeout(context, std::chrono::duration_cast<std::chrono::seconds>(settings_.lifetime).count());
}

// Of a token that is away for more than a period, the last key goes on as long as it opens.
const TicketKeys::Entry* TicketKeys::sealing(Time now) const noexcept {
  const Entry* newest = nullptr;
  for (const Entry& entry : keys_)
    if (entry.seals_from <= now && now < entry.opens_until) newest = &entry;
  return newest;
}

// Runs on the fibre of a handshake: no allocation of ours, no exception.
int TicketKeys::callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int seal) noexcept {
  const auto* keys =
      static_cast<const TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index_of_keys()));
  if (keys == nullptr) return kFailed;
  if (seal == 1) return keys->seal(name, iv, cipher, mac);
  switch (keys->open(name, iv, cipher, mac)) {
    case Opened::no:
      return kNoKey;
    case Opened::yes:
      // A ticket of TLS 1.3 is for one use (RFC 8446, appendix C.4).
      return SSL_version(ssl) == TLS1_3_VERSION ? kRenew : kDone;
    default:
      return kRenew;
  }
}

int TicketKeys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
  const std::shared_lock lock(mutex_);
  const Entry* entry = sealing(std::chrono::system_clock::now());
  if (entry == nullptr) return kNoKey;
  std::ranges::copy(entry->key.name(), name);
  const bool fine = RAND_bytes_ex(library_, iv, kIvSize, 0) == 1 &&
                    EVP_EncryptInit_ex2(cipher, cipher_.get(), entry->key.aes().data(), iv, nullptr) == 1 &&
                    set_mac_key(mac, entry->key);
  return fine ? kDone : kFailed;
}

TicketKeys::Opened TicketKeys::open(const unsigned char* name, const unsigned char* iv,
                                    EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
  const auto now = std::chrono::system_clock::now();
  const std::shared_lock lock(mutex_);
  const auto entry = std::ranges::find_if(keys_, [&](const Entry& candidate) {
    return candidate.key.is_named(name) && now < candidate.opens_until;
  });
  if (entry == keys_.end() ||
      EVP_DecryptInit_ex2(cipher, cipher_.get(), entry->key.aes().data(), iv, nullptr) != 1 ||
      !set_mac_key(mac, entry->key)) {
    return Opened::no;
  }
  return &*entry == sealing(now) ? Opened::yes : Opened::by_an_old_key;
}

}  // namespace keystay::tlsd
