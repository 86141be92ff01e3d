#include "app/commands.hpp"

int main(int count, char** arguments) { return agentcom::app::run_command_line(count, arguments); }
