/// Records of delivery.
public protocol DeliveryRecords {
  /// Returns the next orders to send: live ones first, then the earliest due. Of those that were surely never sent only
  /// those first seen up to a time. Begins at the queue's head, or behind a place in it.
  func nextToSend(
    at now: Timestamp, seenUpTo: Timestamp, after place: QueuePlace?, limit: Int
  ) throws -> [LedgerOrder]
  /// Returns the time at which the next queued order is due.
  func nextSendAt() throws -> Timestamp?
  /// Freezes a report and marks its send as begun, before a byte leaves: returns the attempt's number. An order that was
  /// to be decided again is not any more, as the answer alone decides it. If no earlier send may have been done, the
  /// first one begins now; the statement that stores it tells so, as it alone sees whether there is a report.
  func beginSend(_ entry: EntryID, _ report: ConversionReport, at now: Timestamp) throws -> Int
  /// Stores the result of a send of a report, and the state in which it leaves the order (`SendResult.order`): with it the
  /// conversion of the referral in the mirror, and for the orders behind it another decision. An order that was decided
  /// otherwise while its answer was awaited is not queued again. A result that was stored before changes nothing.
  func finishSend(
    _ entry: EntryID, _ report: ConversionReport, attempt: Attempt, result: SendResult, at now: Timestamp
  ) throws
  /// Puts off an order that was not sent.
  func postpone(_ entry: EntryID, until time: Timestamp, reason: String, detail: String) throws
  /// Takes a frozen report back, unless a send of it may have been done.
  func unfreeze(_ entry: EntryID) throws
  /// Takes a frozen report back of which it is sure that no send of it was done, whatever its sends came to.
  func unfreezeUndone(_ entry: EntryID) throws
  /// Marks sends that a crash interrupted as unknown outcomes, to be sent again, and adds them to the attempts; returns
  /// how many there were.
  func recoverInterruptedSends(at now: Timestamp) throws -> Int
  /// Brings forward to a time the sends that are due later, and to now those that nothing put off: the clock was ahead.
  func clampSends(to latest: Timestamp, now: Timestamp) throws
  /// Brings forward to a time the sighting and the decision of queued orders that lie after it: a clock that was ahead
  /// stamped them, and each order would wait for a walk of the referrals that begins after its stamp.
  func clampSightings(at now: Timestamp) throws
  /// Marks orders for a decision at once whose next decision the clock put off: those that are held, that 404 took back
  /// to matching, that wait for the mirror or for the clock.
  func clampRematches(at now: Timestamp) throws
  /// Returns the halt of sending, which outlasts a restart.
  func sendingHalt() throws -> SendingHalt?
  /// Stores or clears the halt of sending.
  func setSendingHalt(_ halt: SendingHalt?) throws
}

/// The reason why nothing is sent, and the time since when.
public struct SendingHalt: Hashable, Sendable, Codable {
  /// The reason, in a code.
  public var reason: HaltReason
  /// The reason, in a sentence.
  public var detail: String
  /// The time since when nothing is sent.
  public var since: Timestamp

  /// Makes a halt from its values.
  public init(reason: HaltReason, detail: String, since: Timestamp) {
    self.reason = reason
    self.detail = detail
    self.since = since
  }
}

extension DeliveryRecords {
  /// Returns the next orders to send, from the queue's head.
  public func nextToSend(at now: Timestamp, seenUpTo: Timestamp, limit: Int) throws -> [LedgerOrder] {
    try nextToSend(at: now, seenUpTo: seenUpTo, after: nil, limit: limit)
  }
}
