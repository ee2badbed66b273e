#include "keystore-tools/encrypt.h"

#include <algorithm>
#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/streamed_file.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/text.h"
#include "native/x509/auth_enveloped_data.h"

namespace keystay::tools {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

constexpr mode_t kReadableByAll = 0644;  // what is encrypted holds no secret
constexpr mode_t kOwnersAlone = 0600;
constexpr std::size_t kWrapOverhead = 8;  // RFC 3394, section 2.2.1

// One that can wrap the content keys of files; else throws Failure that says what is in the way.
keys::SecretKey require_kek(AliasStore& store, const std::string& alias, const pkcs11::Operation& operation) {
  keys::SecretKey key = store.require_secret_key(alias);
  if (key.reference.type() != CKK_AES || !key.size) {
    throw Failure(keys::quoted_alias(key.alias) + " is a " + keys::describe_key(key) +
                  ", and files are encrypted under AES keys; keystay -genseckey -keyalg AES makes one");
  }
  if (!store.keys().source().operations()->supports(operation)) {
    throw Failure(store.keys().source().name() +
                  " has no CKM_AES_KEY_WRAP, by which the key of a file is wrapped under a key of the token; "
                  "keystay mechanisms shows what it has");
  }
  return key;
}

std::size_t perform(AliasStore& store, const keys::SecretKey& key, const pkcs11::Operation& operation,
                    ByteView data, std::span<std::uint8_t> result) {
  const auto operations = store.keys().source().operations();
  return operations->perform(key.reference, operation, data, result, operations->deadline());
}

// By what a recipient of the file names the key. A key without a CKA_ID is named by its label.
Bytes identifier_of(const keys::SecretKey& key) {
  if (!key.reference.id().empty()) return key.reference.id();
  const std::string& label = key.reference.label();
  return {label.begin(), label.end()};
}

// The content key, by the recipient that is this key; other programs may know it by another identifier.
x509::ContentKey unwrap(AliasStore& store, const keys::SecretKey& key, const x509::AuthEnvelopedData& file) {
  const Bytes identifier = identifier_of(key);
  std::vector<x509::KekRecipient> recipients = file.recipients();
  std::erase_if(recipients,
                [&](const x509::KekRecipient& recipient) { return recipient.kek_bits != *key.size; });
  std::ranges::stable_partition(recipients, [&](const x509::KekRecipient& recipient) {
    return recipient.key_identifier == identifier;
  });
  std::string said;
  for (const x509::KekRecipient& recipient : recipients) {
    if (recipient.encrypted_key.size() != file.content_key_size() + kWrapOverhead) continue;
    try {
      x509::ContentKey content_key(file.content_key_size());
      static_cast<void>(
          perform(store, key, pkcs11::UnwrapSecret{}, recipient.encrypted_key, content_key.place()));
      return content_key;
    } catch (const pkcs11::Error& error) {
      if (error.error_class() != pkcs11::ErrorClass::client) throw;
      if (said.empty()) said = error.what();
    }
  }
  std::string known;
  for (const x509::KekRecipient& recipient : file.recipients())
    known += (known.empty() ? "" : ", ") + pkcs11::hex(recipient.key_identifier);
  throw Failure(keys::quoted_alias(key.alias) + " is not the key under which this was encrypted" +
                (known.empty() ? "; it names no secret key at all" : "; it names " + known) +
                (said.empty() ? "" : " (" + said + ")"));
}

void require_two_files(const std::filesystem::path& input, const std::filesystem::path& output) {
  std::error_code error;
  if (!input.empty() && !output.empty() && std::filesystem::equivalent(input, output, error))
    throw UsageError("-in and -out are one file; give the output a name of its own");
}

}  // namespace

void Encrypt::run(AliasStore& store) const {
  require_two_files(input, output);
  const keys::SecretKey key = require_kek(store, alias, pkcs11::WrapSecret{});
  const x509::ByteSource content = read_in_parts(input);
  const x509::ContentKey content_key = x509::ContentKey::random();
  x509::KekRecipient recipient{identifier_of(key), *key.size,
                               Bytes(content_key.value().size() + kWrapOverhead)};
  recipient.encrypted_key.resize(
      perform(store, key, pkcs11::WrapSecret{}, content_key.value(), recipient.encrypted_key));
  StreamedFile file(output, kReadableByAll);
  x509::write_auth_enveloped_data(content_key, recipient, content, [&](ByteView part) { file.write(part); });
  file.commit();
  if (!output.empty())
    fmt::print(stderr, "Encrypted to {} under {}\n", output.string(), keys::quoted_alias(key.alias));
}

void Decrypt::run(AliasStore& store) const {
  require_two_files(input, output);
  if (!StreamedFile::can_hold_back(output)) {
    throw UsageError(
        "-out " + output.string() +
        ": a regular file is wanted; nothing of the content may be used before all of it is verified");
  }
  const keys::SecretKey key = require_kek(store, alias, pkcs11::UnwrapSecret{});
  try {
    x509::AuthEnvelopedData data(read_in_parts(input));
    const x509::ContentKey content_key = unwrap(store, key, data);
    StreamedFile file(output, kOwnersAlone);
    data.decrypt(content_key, [&](ByteView part) { file.write(part); });
    file.commit();
  } catch (const x509::Error& error) {
    throw Failure((input.empty() ? "standard input" : input.string()) + ": " + error.what());
  }
  fmt::print(stderr, "Decrypted to {}\n", output.string());
}

}  // namespace keystay::tools
