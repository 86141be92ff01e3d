// The micro-benchmarks. Figures depend on the machine; compare only those of one run.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

int main(int argc, char** argv) {
    // Long enough for the figures to settle, short enough for the whole to take about a minute. An
    // option of the command line comes later and wins.
    std::string min_time = "--benchmark_min_time=0.3";
    std::vector<char*> arguments(argv, argv + argc);
    arguments.insert(arguments.begin() + 1, min_time.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
