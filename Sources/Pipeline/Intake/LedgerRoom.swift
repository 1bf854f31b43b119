import Conversions
import Logging

/// Measures if the ledger has room for more orders. At four fifths of `ledger.size_max` intake stops, and goes on below
/// three quarters; the rest is for what the ledger holds already: deciding, sending, the mirror, retention.
///
/// Nothing is lost meanwhile: what isn't read stays in the shop's table, and the ranges' marks don't move.
struct LedgerRoom {
  /// The time between two looks at a full ledger.
  static let interval = Duration.seconds(5)

  private let sizeMax: Int64?
  private var isFull = false
  /// The ledger's count of changes when it was last measured: with the same count it has not grown.
  private var measuredAt: UInt64?

  init(sizeMax: Int64?) { self.sizeMax = sizeMax }

  /// Measures the ledger, and logs when it becomes full or has room again. Returns true if it has room.
  mutating func look(_ context: PipelineContext) async throws -> Bool {
    guard let sizeMax else { return true }
    let changes = context.ledger.changes
    if !isFull, measuredAt == changes { return true }
    let (stop, goOn) = (sizeMax / 5 * 4, sizeMax / 4 * 3)
    let size = try await context.ledger.size(foldingAbove: isFull ? goOn : stop)
    measuredAt = changes
    let wasFull = isFull
    isFull = size >= (wasFull ? goOn : stop)
    guard isFull || wasFull else { return true }
    let used = "the ledger takes \(Self.text(size)) of the \(Self.text(sizeMax)) of ledger.size_max"
    let words =
      "\(used): orders are not read until it takes less than \(Self.text(goOn)); raise size_max, or lower ledger.retain"
    if isFull {
      context.health.failed(.room, words, at: context.clock.now)
      if !wasFull { context.log.event(.ledgerFull, .error, words) }
    } else {
      context.health.succeeded(.room, at: context.clock.now)
      context.log.event(.ledgerRoom, .notice, "\(used): orders are read again")
    }
    return !isFull
  }

  private static func text(_ bytes: Int64) -> String {
    let mebibytes = (bytes * 10) >> 20
    return "\(mebibytes / 10).\(mebibytes % 10) MiB"
  }
}
