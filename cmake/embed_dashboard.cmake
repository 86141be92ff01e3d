# Turns the page INPUT into a C++ source OUTPUT that defines agentcom::app::dashboard_html().
file(READ "${INPUT}" html)
string(FIND "${html}" ")agentcom_page\"" clash)
if(NOT clash EQUAL -1)
  message(FATAL_ERROR "${INPUT} contains the delimiter of the raw string that carries it")
endif()
file(WRITE "${OUTPUT}" "#include \"app/dashboard.hpp\"

namespace agentcom::app {

std::string_view dashboard_html() noexcept {
    static constexpr std::string_view kPage = R\"agentcom_page(${html})agentcom_page\";
    return kPage;
}

}  // namespace agentcom::app
")
