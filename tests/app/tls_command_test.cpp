// The real binary with TLS, as an operator meets it: what it does not start with, renewals, and the
// command line meanwhile.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "app/command_fixture.hpp"
#include "support/certificate.hpp"

namespace agentcom::app {
namespace {

class TlsCommands : public CommandTest {
protected:
    std::vector<std::string> variables() const {
        return {std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken,
                "AGENTCOM_TLS_CERTIFICATE=" + files_.certificate,
                "AGENTCOM_TLS_PRIVATE_KEY=" + files_.key};
    }
    /// Exit code of a command that asks the running hub.
    int list() {
        const Ran ran = run({"token", "list", "--data-dir", data()},
                            {std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken});
        EXPECT_EQ(ran.errors, "");
        return ran.status;
    }
    void renew(test::CertificateKind kind) {
        (void)test::make_certificate(directory_.path(), kind);
    }
    test::CertificateFiles files_ = test::make_certificate(directory_.path());
};

TEST_F(TlsCommands, ARunningHubIsFoundBeforeDuringAndAfterARenewal) {
    auto hub = serve(variables());
    EXPECT_EQ(list(), 0);
    for (int serial = 2; serial <= 3; ++serial) {
        renew({.serial = serial, .rsa = serial == 2});
        EXPECT_EQ(list(), 0) << "the hub still presents what it read before";
        hub->signal(SIGHUP);
        hub->wait_for_line("reloaded: the TLS certificate and key");
        EXPECT_EQ(list(), 0);
    }
    renew({.expires = core::Timestamp{1'600'000'000'000}});
    hub->signal(SIGHUP);
    hub->wait_for_line("it expired on");
    EXPECT_EQ(list(), 0);
    std::filesystem::remove(files_.certificate);
    EXPECT_EQ(list(), 0);
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0);
}

TEST_F(TlsCommands, ACertificateWhoseTimeItIsNotIsWarnedOfAtTheStart) {
    for (const test::CertificateKind& kind :
         {test::CertificateKind{.expires = core::Timestamp{1'600'000'000'000}},
          test::CertificateKind{.begins = core::Timestamp{3'900'000'000'000}}}) {
        renew(kind);
        const Ran checked = run({"check"}, variables());
        EXPECT_EQ(checked.status, 0);
        EXPECT_NE(checked.errors.find("clients will not accept the TLS certificate"),
                  std::string::npos)
            << checked.errors;
        auto hub = serve(variables());
        EXPECT_NE(hub->errors().find("clients will not accept the TLS certificate"),
                  std::string::npos);
        EXPECT_EQ(list(), 0);
        renew({});
        hub->signal(SIGHUP);
        hub->wait_for_line("reloaded: the TLS certificate and key");
        hub->signal(SIGTERM);
        EXPECT_EQ(hub->wait(), 0);
    }
}

TEST_F(TlsCommands, WhatCannotBeServedIsOneLineAndTheEndAndFoundByACheckToo) {
    const auto told = [&] {
        const Ran ran = run({"serve", "--data-dir", data(), "--port", "0"}, variables());
        EXPECT_EQ(ran.status, 1);
        const Ran checked = run({"check"}, variables());
        EXPECT_EQ(checked.status, 1);
        EXPECT_EQ(checked.output, "");
        EXPECT_EQ(checked.errors, ran.errors);
        return ran.errors;
    };
    renew({.password = "secret"});
    const std::string about_password = told();
    expect_one_line(about_password, "it has a password");
    EXPECT_EQ(about_password.find("secret"), std::string::npos);
    const test::TestDirectory other;
    renew({});
    EXPECT_EQ(run({"check", "--quiet"}, variables()).status, 0);
    const std::string own_key = files_.key;
    files_.key = test::make_certificate(other.path(), {.rsa = true}).key;
    expect_one_line(told(), "does not belong to the certificate");
    files_.key = own_key;
    std::filesystem::resize_file(files_.certificate,
                                 std::filesystem::file_size(files_.certificate) / 2);
    expect_one_line(told(), "cannot use the TLS certificate");
}

}  // namespace
}  // namespace agentcom::app
