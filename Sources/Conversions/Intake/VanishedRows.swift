/// Judges an order whose row is gone before it was sent: deleted, or out of sight together with many.
///
/// An archive job, a policy, a wrong database take orders out of sight by the hundred, and each taken for cancelled is
/// money that is never paid and never asked about.
public struct VanishedRows: Hashable, Sendable {
  /// The time within which rows that go missing are counted together.
  public static let window = Duration.seconds(3600)
  /// The time after which a missing row is looked for again.
  public static let lookAgainAfter = Duration.seconds(3600)
  /// The time after which a person is asked.
  public static let giveUpAfter = Duration.seconds(7 * 86_400)
  /// The least number of rows that are many.
  static let countMin = 3
  /// The part of all orders to be sent from which on missing ones are many, as one in so many.
  static let part = 10

  /// The number of orders with a referral that wait for a send, the missing ones among them.
  public var expected: Int
  /// The number of them that were first missed within the window.
  public var missing: Int
  /// The time at which the server, the role, a view or row-level security was last found to be another; nil for never.
  public var sightChangedAt: Timestamp?

  /// Takes the facts of all orders.
  public init(expected: Int, missing: Int, sightChangedAt: Timestamp?) {
    self.expected = expected
    self.missing = missing
    self.sightChangedAt = sightChangedAt
  }

  /// A judgement.
  public enum Verdict: Hashable, Sendable {
    /// It was deleted: nothing is to be reported.
    case deleted
    /// It waits, and is looked for again.
    case missing
    /// A person is asked.
    case givenUp
  }

  /// The facts of one order.
  public struct Miss: Hashable, Sendable {
    /// The time at which it was first missed.
    public var since: Timestamp
    /// True once it waits as one of many.
    public var isHeld: Bool

    /// Makes a miss from its values.
    public init(since: Timestamp, isHeld: Bool) {
      self.since = since
      self.isHeld = isHeld
    }
  }

  /// Judges one order.
  ///
  /// - Parameters:
  ///   - miss: Its miss.
  ///   - firstSeenAt: The time at which the order was first seen.
  ///   - mayBeHidden: True if row-level security may hide the row: then it is not known to be gone, however few are.
  ///   - now: Wall-clock time.
  /// - Returns: The verdict.
  public func verdict(on miss: Miss, firstSeenAt: Timestamp, mayBeHidden: Bool = false, now: Timestamp) -> Verdict {
    let isMany = missing >= Self.countMin && missing * Self.part >= expected
    let isAfterChange = sightChangedAt.map { firstSeenAt < $0 && miss.since >= $0 } ?? false
    guard miss.isHeld || isMany || isAfterChange || mayBeHidden else { return .deleted }
    return now - miss.since >= Self.giveUpAfter ? .givenUp : .missing
  }
}
