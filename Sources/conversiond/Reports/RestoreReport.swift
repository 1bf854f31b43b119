import Conversions
import Ledger

/// The report of `restore`. The shape is a contract, like `StatusReport`'s.
struct RestoreReport: Codable, Sendable {
  /// Orders by their number, and the IDs of the first of them.
  struct Orders: Codable, Sendable {
    var count: Int
    var first: [String]

    init(_ orders: SinceBackup.Orders) { (count, first) = (orders.count, orders.first) }
  }

  struct Act: Codable, Sendable {
    var order: String
    var act: String
    var by: String
    var at: String
  }

  /// All that happened since the backup, as the present ledger tells it.
  struct Since: Codable, Sendable {
    /// Orders that were reported.
    var sent: Orders
    /// Orders that may have been sent.
    var unclear: Orders
    /// Operators' acts, which are taken over.
    var acts: [Act]
    /// Orders that were released, and are held or discarded again.
    var released: Orders
    /// People who were forgotten, and stay forgotten.
    var forgotten: Int
    /// Those of them whose data an order still keeps.
    var forgottenKeptBack: Int
    /// People who must be forgotten again, as these ledgers have different keys.
    var forgottenLost: Int
  }

  var version = 1
  var ledger: String
  var backup: String
  var restored: Bool
  /// The path at which the present ledger is kept, or would be; nil where there is none.
  var keptAs: String?
  /// The reason why the present ledger can't be read.
  var ledgerFailure: String?
  var orders: Int
  var reports: Int
  /// The last time that the backup tells of.
  var lastWrite: String?
  var since: Since?
  /// The time of which the restored ledger knows nothing.
  var unknownFrom: String
  var unknownTo: String
  /// The time before which nothing is sent that was never sent.
  var quietUntil: String

  init(_ restore: LedgerRestore, _ draft: LedgerRestore.Draft, backup: String, keptAs: String?, restored: Bool) {
    (ledger, self.backup, self.keptAs, self.restored) = (restore.path, backup, keptAs, restored)
    ledgerFailure = restore.formerFailure
    (orders, reports) = (draft.content.orders, draft.content.reports)
    lastWrite = draft.content.lastWrite?.description
    since = draft.since.map { since in
      Since(
        sent: Orders(since.sent), unclear: Orders(since.unclear),
        acts: since.acts.map {
          Act(
            order: $0.transactionID, act: $0.act.kind.rawValue, by: $0.act.actor, at: $0.act.actedAt.description)
        },
        released: Orders(since.released), forgotten: since.forgotten, forgottenKeptBack: since.keptBack,
        forgottenLost: since.unknowable)
    }
    (unknownFrom, unknownTo) = (draft.unknown.lowerBound.description, draft.unknown.upperBound.description)
    quietUntil = draft.quietUntil.description
  }
}
