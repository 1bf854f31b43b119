import ArgumentParser

/// Measures what the README claims. Builds its own PostgreSQL, shop and ledger in temporary folders, and compares with
/// something that does the same job in the same run, as no two runs on one machine are alike.
@main struct Benchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measures conversiond against what else could do the job, in one run.",
    discussion: """
      Build it as a release is built, or the figures mean nothing:
        swift build -c release --product benchmark
        .build/release/benchmark backlog
      """,
    subcommands: [
      BacklogBenchmark.self, ReferralsBenchmark.self, DeliveryBenchmark.self, LatencyBenchmark.self, IdleBenchmark.self,
      OutageBenchmark.self, TakeBacklog.self,
    ])
}
