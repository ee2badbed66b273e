#include "native/config/tls_reader.h"

namespace keystay::config {
namespace {

TlsVersion version(const TableReader& listener, std::string_view key, TlsVersion by_default) {
  const auto text = listener.text(key);
  if (!text) return by_default;
  if (*text == "TLSv1.2") return TlsVersion::tls12;
  if (*text == "TLSv1.3") return TlsVersion::tls13;
  listener.fail(key, "expected \"TLSv1.2\" or \"TLSv1.3\" (RFC 8996 has withdrawn what was before), got \"" +
                         *text + "\"");
}

std::optional<PlacedText> list(const TableReader& listener, std::string_view key, std::string_view example) {
  if (!listener.has(key)) return std::nullopt;
  return PlacedText{listener.required_text(key, example), listener.place(key)};
}

UnknownName unknown_name(const TableReader& listener) {
  const std::string text = listener.text("unknown-name").value_or("default");
  if (text == "default") return UnknownName::serve_default;
  if (text == "refuse") return UnknownName::refuse;
  listener.fail("unknown-name", "expected \"default\" or \"refuse\", got \"" + text + "\"");
}

// Keys of a version that the listener does not speak are refused, since they would have no effect.
void check_versions(const TableReader& listener, const TlsSettings& settings) {
  if (settings.max_version < settings.min_version)
    listener.fail("max-version", "is below min-version, so that no version is left");
  if (settings.min_version == TlsVersion::tls13 && settings.ciphers)
    listener.fail("ciphers", "is for TLS 1.2, which min-version forbids; those of TLS 1.3 are cipher-suites");
  if (settings.max_version == TlsVersion::tls12 && settings.cipher_suites)
    listener.fail("cipher-suites", "is for TLS 1.3, which max-version forbids; those of TLS 1.2 are ciphers");
}

}  // namespace

TlsSettings read_tls(const TableReader& listener) {
  TlsSettings settings;
  settings.min_version = version(listener, "min-version", settings.min_version);
  settings.max_version = version(listener, "max-version", settings.max_version);
  settings.ciphers = list(listener, "ciphers", "\"ECDHE-ECDSA-AES128-GCM-SHA256\"");
  settings.cipher_suites = list(listener, "cipher-suites", "\"TLS_AES_128_GCM_SHA256\"");
  settings.groups = list(listener, "groups", "\"?X25519MLKEM768:X25519:P-256\"");
  settings.signature_algorithms =
      list(listener, "signature-algorithms", "\"ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256\"");
  settings.unknown_name = unknown_name(listener);
  check_versions(listener, settings);
  return settings;
}

OcspSettings read_ocsp(const TableReader& listener) {
  OcspSettings settings;
  if (!listener.has("ocsp")) return settings;
  settings.place = listener.place("ocsp");
  settings.files = listener.is_array("ocsp") ? listener.required_texts("ocsp", "\"fetch\"")
                                             : std::vector{listener.required_text("ocsp", "\"fetch\"")};
  if (settings.files.size() == 1 && (settings.files.front() == "off" || settings.files.front() == "fetch")) {
    if (settings.files.front() == "fetch") settings.source = OcspSettings::Source::fetch;
    settings.files.clear();
    return settings;
  }
  settings.source = OcspSettings::Source::files;
  for (const std::string& file : settings.files)
    if (!file.starts_with('/'))
      listener.fail(
          "ocsp", "expected \"off\", \"fetch\", or absolute paths of responses (DER), got \"" + file + "\"");
  return settings;
}

}  // namespace keystay::config
