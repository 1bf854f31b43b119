import ArgumentParser
import Foundation
import TestHosts

/// A shop's years of orders, read and decided, beside `psql \\copy` of the same rows.
struct BacklogBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backlog", abstract: "The first backlog of a shop, beside psql's \\copy of the same rows.",
    discussion: """
      Five in eight orders qualify; one in 32 has the e-mail of one of the referrals. Each run of the intake starts with
      a ledger that knows only the referrals, on the disk of --folder, and is a process of its own; the two take turns.
      """)

  @Option(help: "Orders that the shop has.") var orders = 2_000_000
  @Option(help: "Referrals that the ledger knows.") var referrals = 100_000
  @Option(help: "Runs of each of the two.") var runs = 3
  @Option(help: "The ledger's folder, on the disk to be measured.") var folder = "/var/tmp"

  func run() async throws {
    say("filling a shop with \(orders) orders")
    let cluster = try await PostgresCluster.start(settings: [
      "shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "1h", "jit": "on",
    ])
    let shop = try await cluster.createDatabase()
    try await shop.execute(BenchmarkShop.sql(orders: orders), within: .seconds(1800))
    let home = try TemporaryFolder("benchmark", in: folder)
    say("a ledger that knows \(referrals) referrals")
    let template = home.path("template.sqlite")
    try await BenchmarkShop.makeLedger(template, referrals: referrals, orders: orders)
    var rates: (psql: [Double], intake: [Double]) = ([], [])
    for _ in 0..<runs {
      let copied = try await timed { try await shop.execute(BenchmarkShop.copy, within: .seconds(600)) }
      rates.psql.append(Double(orders) / copied.seconds)
      say("psql \\copy: \(orders) rows in \(copied.seconds.rounded3) s")
      let taken = try await take(template, shop.conninfo, home)
      rates.intake.append(Double(orders) / taken.seconds)
      say("read, decided and stored in \(taken.seconds.rounded3) s: \(taken.words)")
    }
    let (psql, intake) = (rates.psql.median, rates.intake.median)
    say(
      "median: psql \(Int(psql)) rows/s, conversiond \(Int(intake)) orders/s, \((intake / psql).rounded3) of psql's rate"
    )
    try await cluster.stop()
  }

  private func take(_ template: String, _ conninfo: String, _ home: TemporaryFolder) async throws
    -> (seconds: Double, words: String)
  {
    let ledger = home.path("ledger.sqlite")
    for suffix in ["", "-wal", ".lock"] { try? FileManager.default.removeItem(atPath: ledger + suffix) }
    try FileManager.default.copyItem(atPath: template, toPath: ledger)
    let result = try await ChildProcess.run(
      CommandLine.arguments[0], ["take-backlog", "--ledger", ledger, "--connection", conninfo], within: .seconds(1800))
    guard result.end == .exited(0), let seconds = result.output.split(separator: " ").first.flatMap({ Double($0) })
    else { throw ValidationError("the intake failed: \(result.errors)\(result.output)") }
    return (seconds, result.output.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}

func say(_ words: String) {
  print(words)
  fflush(nil)
}

func timed<Value>(_ work: () async throws -> Value) async rethrows -> (value: Value, seconds: Double) {
  let began = ContinuousClock.now
  let value = try await work()
  let duration = ContinuousClock.now - began
  return (value, Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
}

extension Double {
  var rounded3: Double { (self * 1000).rounded() / 1000 }
}

extension [Double] {
  var median: Double { sorted()[count / 2] }
}
