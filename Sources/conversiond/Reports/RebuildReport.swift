import Conversions
import Ledger

/// The report of `rebuild`. The shape is a contract, like `StatusReport`'s.
struct RebuildReport: Codable, Sendable {
  struct Salvaged: Codable, Sendable {
    var reported: Int
    var discarded: Int
    var review: Int
    var sentAgain: Int
    var finishedLongAgo: Int
    var forgotten: Int
  }

  struct Lost: Codable, Sendable {
    var entriesUnreadable: Int
    var ordersDistrusted: Int
    var tablesIncomplete: [String]
  }

  var version = 1
  var ledger: String
  /// The damage of the ledger; nil where it is whole.
  var damage: String?
  var rebuilt: Bool
  /// The path at which the old one is kept, or would be.
  var keptAs: String
  var salvaged: Salvaged
  var lost: Lost
  /// The time before which nothing is sent that was never sent.
  var quietUntil: String

  init(_ rebuild: LedgerRebuild, _ draft: LedgerRebuild.Draft, keptAs: String, rebuilt: Bool) {
    (ledger, damage, self.keptAs, self.rebuilt) = (rebuild.path, rebuild.damage, keptAs, rebuilt)
    let salvage = draft.salvage
    salvaged = Salvaged(
      reported: salvage.reported, discarded: salvage.discarded, review: salvage.review, sentAgain: salvage.unfinished,
      finishedLongAgo: salvage.settled, forgotten: salvage.forgotten)
    lost = Lost(
      entriesUnreadable: salvage.unreadable, ordersDistrusted: salvage.distrusted, tablesIncomplete: salvage.tables)
    quietUntil = draft.quietUntil.description
  }
}
