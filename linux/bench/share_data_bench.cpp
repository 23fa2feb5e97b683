// Measures share_data against the least that the system could take for the same, in the same run and in turns,
// and against the article's way. Prints a table in Markdown on standard output.
//
//   crowd.h         starts processes, and reads and times what they write
//   opponents.h     share_data, its limit, and the article's way
//   limit.cpp       the limit: a program of its own
//   article_way.cpp the article's way, reconstructed: a program of its own
//   rows.h          what is measured
//   report.h        the table
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "crowd.h"
#include "resources.h"
#include "rows.h"

namespace share_data::bench {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

const Scale full{.crowds = {2, 8, 64, 256, 1000},
                 .rounds = 31,
                 .idle_copies = 256,
                 .idle_time = 10s,
                 .mass = 1000,
                 .mass_rounds = 11,
                 .single_rounds = 200};

const Scale quick{.crowds = {2, 8},
                  .rounds = 2,
                  .idle_copies = 8,
                  .idle_time = 500ms,
                  .mass = 32,
                  .mass_rounds = 1,
                  .single_rounds = 3};

struct NamedRow {
  std::string_view name;
  void (*measure)(const Bench&);
};

constexpr std::array rows{NamedRow{"first-line", first_line}, NamedRow{"one-started", one_started},
                          NamedRow{"one-killed", one_killed}, NamedRow{"mass-start", mass_start},
                          NamedRow{"memory", memory},         NamedRow{"idle", idle}};

void run(Scale scale, const std::vector<std::uint32_t>& crowds, std::string_view filter) {
  if (!crowds.empty()) scale.crowds = crowds;
  raise_descriptor_limit();
  catch_stop_signals();
  Report report;
  const Bench bench{scale, report};
  for (const NamedRow& row : rows) {
    if (row.name.find(filter) != std::string_view::npos) row.measure(bench);
  }
  fmt::print("{}", report.markdown(describe_machine()));
}

}  // namespace
}  // namespace share_data::bench

int main(int argc, char** argv) {
  using namespace share_data::bench;
  CLI::App app{"Measures share_data against the least that the system could take for the same", "share_data_bench"};
  bool is_quick = false;
  std::string filter;
  std::vector<std::uint32_t> crowds;
  app.add_flag("--quick", is_quick, "Few copies and rounds: shows that all counts are right; the times mean nothing");
  app.add_option("--copies", crowds, "So many copies instead of 2, 8, 64, 256 and 1000")->delimiter(',');
  app.add_option(
      "--filter", filter,
      "Only the rows with this in their name: first-line, one-started, one-killed, mass-start, memory, idle");
  CLI11_PARSE(app, argc, argv);
  try {
    run(is_quick ? quick : full, crowds, filter);
    return 0;
  } catch (const Interrupted&) {
    fmt::print(stderr, "share_data_bench: interrupted\n");
    return 130;
  } catch (const std::exception& error) {
    fmt::print(stderr, "share_data_bench: {}\n", error.what());
    return 1;
  }
}
