#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "agentcom/core/time.hpp"

namespace agentcom::test {

template <auto Function>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Function(object);
    }
};
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

/// What a certificate is to be like.
struct CertificateKind {
    int serial = 1;
    bool rsa = false;
    const char* password = nullptr;  // of the key
    core::Timestamp begins{1'500'000'000'000};
    core::Timestamp expires{4'000'000'000'000};
};

/// Where they are, as PEM.
struct CertificateFiles {
    std::string certificate;
    std::string key;
};

/// Writes a self-signed certificate for localhost and its key into the directory, over those that
/// are there.
inline CertificateFiles make_certificate(const std::filesystem::path& directory,
                                         CertificateKind kind = {}) {
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(kind.rsa ? EVP_RSA_gen(2'048)
                                                                       : EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Freed<X509_free>> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), kind.serial);
    const std::int64_t begin = kind.begins.ms / 1000;
    const std::int64_t end = kind.expires.ms / 1000;
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    CertificateFiles files{directory / "cert.pem", directory / "key.pem"};
    const File cert_file(std::fopen(files.certificate.c_str(), "w"));
    PEM_write_X509(cert_file.get(), certificate.get());
    const File key_file(std::fopen(files.key.c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(),
                         kind.password != nullptr ? EVP_aes_256_cbc() : nullptr, nullptr, 0,
                         nullptr, const_cast<char*>(kind.password));
    return files;
}

}  // namespace agentcom::test
