public import Conversions

/// The wait of orders that are queued and were never sent for what must be known before; for people, who see a due time
/// in the past otherwise.
public struct FirstSendWait: Hashable, Sendable {
  /// The reason, in a sentence.
  public let words: String
  /// The time before which it doesn't end; nil where it is not known.
  public let until: Timestamp?

  /// Finds the wait; nil where there is none.
  ///
  /// - Throws: `LedgerFailure`.
  public init?(_ ledger: any LedgerTransaction) throws {
    if let quietUntil = try QuietAfterRebuild(ledger).end() {
      (words, until) = (QuietAfterRebuild.words(until: quietUntil.description), quietUntil)
    } else if try !CatchUp.isOver(ledger) {
      (words, until) = ("catching up: nothing is sent before every order and referral is known", nil)
    } else {
      return nil
    }
  }
}
