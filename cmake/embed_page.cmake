# Turns the page INPUT into a C++ source OUTPUT that defines agentcom::app::FUNCTION().
file(READ "${INPUT}" page)
string(FIND "${page}" ")agentcom_page\"" clash)
if(NOT clash EQUAL -1)
  message(FATAL_ERROR "${INPUT} contains the delimiter of the raw string that carries it")
endif()
file(WRITE "${OUTPUT}" "#include \"app/site.hpp\"

namespace agentcom::app {

std::string_view ${FUNCTION}() noexcept {
    static constexpr std::string_view kPage = R\"agentcom_page(${page})agentcom_page\";
    return kPage;
}

}  // namespace agentcom::app
")
