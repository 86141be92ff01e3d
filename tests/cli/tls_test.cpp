// The client over TLS: whom it trusts.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/support/client_fixture.hpp"
#include "support/certificate.hpp"

namespace agentcom::cli {
namespace {

class Tls : public ClientTest {
protected:
    void SetUp() override {
        serve({"AGENTCOM_TLS_CERTIFICATE=" + files_.certificate,
               "AGENTCOM_TLS_PRIVATE_KEY=" + files_.key});
        bob_ = as(token("bob"));
    }
    [[nodiscard]] std::string at(const std::string& host) const {
        return "https://" + host + ':' + port_;
    }
    test::CertificateFiles files_ = test::make_certificate(directory_.path());
    std::vector<std::string> bob_;
};

TEST_F(Tls, ACertificateIsTrustedWhenItsFileIsNamed) {
    const std::vector<std::string> trusting{"--url", at("localhost"), "--ca-file",
                                            files_.certificate};
    auto command = trusting;
    command.insert(command.begin(), "whoami");
    const Ran ran = run(command, bob_);
    EXPECT_EQ(ran.status, 0) << ran.errors;

    command.front() = "listen";
    const auto listener = start(command, bob_);
    command.front() = "send";
    command.insert(command.begin() + 1, {"bob", "over TLS"});
    EXPECT_EQ(run(command, bob_).status, 0);
    (void)listener->wait_for_output("over TLS");

    auto variables = bob_;
    variables.push_back("AGENTCOM_CA_FILE=" + files_.certificate);
    EXPECT_EQ(run({"poll", "--url", at("localhost")}, variables).status, 0);
}

TEST_F(Tls, WhoIsNotTrustedIsToldNothing) {
    const Ran unknown = run({"whoami", "--url", at("localhost")}, bob_);
    EXPECT_EQ(unknown.status, 5);
    expect_complaint(unknown.errors, "is not trusted");
    EXPECT_NE(unknown.errors.find("--ca-file"), std::string::npos);

    const Ran wrong_name =
        run({"whoami", "--url", at("127.0.0.1"), "--ca-file", files_.certificate}, bob_);
    EXPECT_EQ(wrong_name.status, 5);
    expect_complaint(wrong_name.errors, "is not for the host 127.0.0.1");

    const test::TestDirectory other;
    const auto another = test::make_certificate(other.path(), {.serial = 2});
    const Ran wrong =
        run({"whoami", "--url", at("localhost"), "--ca-file", another.certificate}, bob_);
    EXPECT_EQ(wrong.status, 5);
    expect_complaint(wrong.errors, "is not trusted");
}

TEST_F(Tls, PlainHttpIsNotTakenForIt) {
    const Ran plain = run({"whoami", "--url", "http://localhost:" + port_}, bob_);
    EXPECT_EQ(plain.status, 7);
    expect_complaint(plain.errors, "the hub answers 400");
}

}  // namespace
}  // namespace agentcom::cli
