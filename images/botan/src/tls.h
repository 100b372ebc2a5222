// What client and server have in common: one group, one scheme, TLS 1.3 alone, no tickets; a chain and a root.
#pragma once

#include <botan/auto_rng.h>
#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_messages.h>
#include <botan/tls_policy.h>
#include <botan/tls_session.h>
#include <botan/tls_session_manager_noop.h>
#include <botan/x509cert.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace TLS = Botan::TLS;

inline std::string codepoint(uint16_t number) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%04x", number);
  return text;
}

class OneGroup : public TLS::Policy {
 public:
  // `scheme` 0: any that the library has.
  OneGroup(uint16_t group, uint16_t scheme, uint16_t peer_scheme, bool wants_client)
      : group_(group), scheme_(scheme), peer_scheme_(peer_scheme), wants_client_(wants_client) {}

  bool allow_tls12() const override { return false; }
  bool allow_tls13() const override { return true; }
  bool allow_ssl_key_log_file() const override { return true; }
  std::vector<TLS::Group_Params> key_exchange_groups() const override { return {TLS::Group_Params(group_)}; }
  std::vector<TLS::Group_Params> key_exchange_groups_to_offer() const override { return key_exchange_groups(); }
  std::vector<TLS::Signature_Scheme> allowed_signature_schemes() const override { return schemes(scheme_); }
  std::vector<TLS::Signature_Scheme> acceptable_signature_schemes() const override { return schemes(peer_scheme_); }
  std::optional<std::vector<TLS::Signature_Scheme>> acceptable_certificate_signature_schemes() const override {
    return TLS::Signature_Scheme::all_available_schemes();
  }
  size_t new_session_tickets_upon_handshake_success() const override { return 0; }
  bool require_cert_revocation_info() const override { return false; }
  bool require_client_certificate_authentication() const override { return wants_client_; }
  bool request_client_certificate_authentication() const override { return wants_client_; }

 private:
  static std::vector<TLS::Signature_Scheme> schemes(uint16_t one) {
    if (one != 0) return {TLS::Signature_Scheme(one)};
    return TLS::Signature_Scheme::all_available_schemes();
  }

  const uint16_t group_, scheme_, peer_scheme_;
  const bool wants_client_;
};

class Identity : public Botan::Credentials_Manager {
 public:
  // PEM texts; any may be empty.
  Identity(const std::string& chain, const std::string& key, const std::string& root) {
    chain_ = certificates(chain);
    if (!key.empty()) {
      Botan::DataSource_Memory source(key);
      key_ = Botan::PKCS8::load_key(source);
    }
    for (const auto& one : certificates(root)) roots_.add_certificate(one);
  }

  std::vector<Botan::Certificate_Store*> trusted_certificate_authorities(const std::string&,
                                                                         const std::string&) override {
    return {&roots_};
  }

  std::vector<Botan::X509_Certificate> cert_chain(const std::vector<std::string>& kinds,
                                                  const std::vector<Botan::AlgorithmIdentifier>&, const std::string&,
                                                  const std::string&) override {
    for (const auto& kind : kinds) {
      if (key_ && key_->algo_name() == kind) return chain_;
    }
    return {};
  }

  std::shared_ptr<Botan::Private_Key> private_key_for(const Botan::X509_Certificate&, const std::string&,
                                                      const std::string&) override {
    return key_;
  }

 private:
  static std::vector<Botan::X509_Certificate> certificates(const std::string& pem) {
    static const std::string end = "-----END CERTIFICATE-----";
    std::vector<Botan::X509_Certificate> found;
    for (size_t at = 0, stop; (stop = pem.find(end, at)) != std::string::npos; at = stop + end.size()) {
      Botan::DataSource_Memory source(pem.substr(at, stop + end.size() - at));
      found.emplace_back(source);
    }
    return found;
  }

  std::vector<Botan::X509_Certificate> chain_;
  std::shared_ptr<Botan::Private_Key> key_;
  Botan::Certificate_Store_In_Memory roots_;
};

inline std::string group_of(const TLS::Session_Summary& session) {
  const auto name = session.kex_parameters();
  const auto group = name ? TLS::Group_Params::from_string(*name) : std::nullopt;
  return group ? codepoint(group->wire_code()) : "";
}

int serve(const std::string& listeners, const std::string& ready);
int answer();
