// What a single step costs, within one process: the parts that the rows of share_data_bench are made of.
#include <benchmark/benchmark.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "identity.h"
#include "table.h"

namespace share_data {
namespace {

/// A table in which `count` others have their slots.
std::unique_ptr<Table> table_of(std::int64_t count) {
  auto table = std::make_unique<Table>();
  for (std::int64_t i = 0; i < count; ++i) {
    table->claim(make_identity(static_cast<std::uint32_t>(i + 1), 1));
  }
  return table;
}

void claim_and_release(benchmark::State& state) {
  const auto table = table_of(state.range(0));
  const Identity self = own_identity();
  for (auto _ : state) {
    benchmark::DoNotOptimize(table->claim(self));
    benchmark::DoNotOptimize(table->release(self));
  }
}
BENCHMARK(claim_and_release)->Arg(0)->Arg(64)->Arg(1000);

void look(benchmark::State& state) {
  const auto table = table_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(table->look());
}
BENCHMARK(look)->Arg(1)->Arg(1000);

void announce_without_waiters(benchmark::State& state) {
  const auto table = table_of(0);
  for (auto _ : state) table->announce();
}
BENCHMARK(announce_without_waiters);

void is_alive_of_self(benchmark::State& state) {
  const Identity self = own_identity();
  for (auto _ : state) benchmark::DoNotOptimize(is_alive(self));
}
BENCHMARK(is_alive_of_self);

void open_and_close_pidfd(benchmark::State& state) {
  const Identity self = own_identity();
  for (auto _ : state) close(open_pidfd(self).fd);
}
BENCHMARK(open_and_close_pidfd);

void create_attach_touch_detach_remove(benchmark::State& state) {
  for (auto _ : state) {
    const int id = shmget(IPC_PRIVATE, sizeof(Table), IPC_CREAT | 0600);
    auto* const table = static_cast<Table*>(shmat(id, nullptr, 0));
    table->plain = 1;
    shmdt(table);
    shmctl(id, IPC_RMID, nullptr);
  }
}
BENCHMARK(create_attach_touch_detach_remove);

}  // namespace
}  // namespace share_data

BENCHMARK_MAIN();
