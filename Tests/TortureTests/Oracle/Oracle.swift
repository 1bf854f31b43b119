import Foundation
import TestHosts

/// Compares what the API has at the end with what it should have.
struct Oracle: Sendable {
  struct Counts: Sendable, Equatable {
    /// Rows in the shop's table.
    var orders = 0
    /// Versions that were committed.
    var versions = 0
    /// Orders that qualify at the end.
    var qualifying = 0
    /// Orders with a referral at the end.
    var matched = 0
    /// Those referrals.
    var matchedReferrals = 0
    /// Converted referrals.
    var reported = 0
    /// Referrals that should have been converted.
    var missed = 0
    /// Conversions that were not right.
    var wrong = 0
    /// Orders whose send was cut off and that don't qualify any more: the rules give them 15 minutes.
    var inDoubt = 0
    /// Versions whose commit has no known time, which leaves the rest unproven.
    var undated = 0
  }

  let database: TestDatabase
  let sandbox: SandboxProcess
  let daemon: DaemonProcess

  /// Takes in what was written; nothing may be written from now on.
  func load(_ keys: [ReferralClerk.Keys], _ sweeps: [SweepWatch.Sweep], daemonStart: Double) async throws {
    let load = OracleSQL.load(
      referrals: try await sandbox.referrals(), keys: try Self.json(keys), sweeps: try Self.json(sweeps),
      daemonStart: daemonStart)
    try await database.execute(load + "\n" + OracleSQL.judge)
  }

  /// Takes in the sweeps that were seen since.
  func add(_ sweeps: [SweepWatch.Sweep]) async throws {
    for sweep in sweeps {
      try await database.execute("INSERT INTO oracle.sweeps VALUES (to_timestamp(\(sweep.began)), '\(sweep.ended)')")
    }
  }

  /// Compares with what the API has now.
  func compare() async throws -> Counts {
    let inDoubt = try await daemon.entries().values.filter { $0.unknownOutcome && $0.state == "queued" }.map(\.key)
    var sql = OracleSQL.referrals(try await sandbox.referrals())
    sql += "\nTRUNCATE oracle.in_doubt;\n"
    for key in inDoubt { sql += "INSERT INTO oracle.in_doubt VALUES (\(key));\n" }
    let line = try await database.execute(sql + OracleSQL.counts)
    let numbers = line.split(separator: "|").compactMap { Int($0) }
    guard numbers.count == 10 else { throw TestHostError("the oracle says: \(line)") }
    return Counts(
      orders: numbers[0], versions: numbers[1], qualifying: numbers[2], matched: numbers[3],
      matchedReferrals: numbers[4], reported: numbers[5], missed: numbers[6], wrong: numbers[7], inDoubt: numbers[8],
      undated: numbers[9])
  }

  /// A conversion is judged by the time of its first send, which only the ledger knows: a later one, of the same bytes,
  /// may be what the API tells. Asked only for those that are wrong by the API's time.
  func askForFirstSends() async throws {
    let entries = try await daemon.entries()
    for order in try await rows("SELECT transaction_id, '' FROM (\(OracleSQL.wrong)) w").map(\.key) {
      guard let entry = entries[order], let send = try await daemon.entry(entry.id).sends?.first else { continue }
      try await database.execute(
        "INSERT INTO oracle.first_sends VALUES (\(order), timestamptz '\(send.startedAt)' + interval '1 ms')")
    }
  }

  /// A line for each order that was missed.
  func missedOrders() async throws -> [String] {
    let entries = try await daemon.entries()
    return try await rows(OracleSQL.missedDetails).map { order, text in
      let entry = entries[order]
      let rivals = entries.values.filter { $0.key != order && $0.referral != nil && $0.referral == entry?.referral }
      let words = ([entry].compactMap(\.self) + rivals).map { other in
        "\(other.key) \(other.state) \(other.reason ?? "") \(other.referral ?? "")"
      }
      return "missed order \(order) (\(text)); the daemon says: "
        + (entry == nil ? "never seen" : words.joined(separator: ", "))
    }
  }

  /// A line for each conversion that was not right.
  func wrongConversions() async throws -> [String] {
    try await rows(OracleSQL.wrongDetails).map { order, text in "wrong: order \(order) \(text)" }
  }

  private func rows(_ sql: String) async throws -> [(key: String, text: String)] {
    try await database.execute(sql).split(separator: "\n").map { line in
      let parts = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
  }
}
