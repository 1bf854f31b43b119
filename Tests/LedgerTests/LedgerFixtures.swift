import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

let epoch = Timestamp(milliseconds: 1_765_000_000_000)

func makeOrder(
  _ key: Int, email: String? = "ana@example.com", external: String? = nil, id: String? = nil, qualifies: Bool = true,
  placed: Timestamp = epoch, total: String? = "500"
) -> Order {
  guard let transactionID = TransactionID(id ?? "order_\(key)") else { fatalError("not an ID") }
  return Order(
    key: OrderKey(String(key)), transactionID: transactionID, email: email.flatMap(EmailAddress.init),
    externalSourceID: external.flatMap(ExternalSourceID.init),
    total: total.map { .amount($0, currency: "EUR") } ?? .null,
    status: "paid", qualifies: qualifies, placedAt: PlacedAt(earliest: placed, latest: placed),
    metadata: #"{"sku":"A"}"#)
}

func makeReferral(
  _ id: String, _ status: ReferralStatus = .pending, email: String? = "ana@example.com", external: String? = nil
) -> Referral {
  Referral(
    id: ReferralID(id), status: status, friendEmail: email, createdAt: epoch - .seconds(86_400),
    referrerIdentifier: "cust_1", externalSourceID: external)
}

func makeReport(_ order: Order, _ referral: String = "r1") -> ConversionReport {
  ConversionReport(
    referralID: ReferralID(referral), transactionID: order.transactionID, value: 500, metadata: order.metadata)
}

extension Decision {
  static func queued(_ referral: String) -> Decision {
    var decision = Decision(.queued)
    decision.referralID = ReferralID(referral)
    decision.claims = true
    decision.value = 500
    return decision
  }
}

/// A ledger in a folder of its own, which can be opened again.
struct LedgerFixture {
  let folder: TemporaryFolder
  var path: String { folder.path("ledger.sqlite") }

  init() throws { folder = try TemporaryFolder("ledger") }

  func open() throws -> SQLiteLedger { try SQLiteLedger(path: path) }
}

extension SQLiteLedger {
  func take(_ rows: [OrderRow], at now: Timestamp = epoch, isBackfill: Bool = false) async throws -> [RowChange] {
    try await transaction { tx in try rows.map { try tx.record($0, seenAt: now, isBackfill: isBackfill) } }
  }

  func undecided() async throws -> [LedgerOrder] {
    try await transaction { try $0.undecided(at: epoch, limit: 100) }
  }

  func entry(_ number: Int64) async throws -> LedgerOrder? {
    try await transaction { try $0.entry(EntryID(number)) }
  }

  func settleCatchUp() async throws {
    try await transaction { tx in
      var intake = try tx.intakeProgress()
      intake.caughtUpAt = epoch
      try tx.setIntakeProgress(intake)
      var mirror = try tx.mirrorProgress()
      mirror.completeSweepBeganAt = epoch
      try tx.setMirrorProgress(mirror)
    }
  }
}

/// Changes a closed ledger without its knowledge.
func sqlite(_ path: String, _ sql: String) throws {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["sqlite3", path, sql]
  try process.run()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0)
}

extension SQLiteLedger {
  /// Ties it to a table of this name.
  func adopt(source: String, mapping: String = "") async throws {
    try await adopt(
      ConfiguredSource(from: source, key: "id", id: "id", baseURL: "https://api.example.com"), mapping: mapping)
  }
}

extension SQLiteLedger {
  /// Answers the question about every repeated ID with rows of the shop.
  func prove(_ rows: [OrderRow]) async throws {
    let shown = Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0) })
    try await transaction { tx in
      for id in try tx.repeatedIDs(limit: 10) { _ = try tx.resolve(id, shown: shown, at: epoch) }
    }
  }

  func proveRepeatedIDs(_ orders: Order...) async throws { try await prove(orders.map(OrderRow.readable)) }
}
